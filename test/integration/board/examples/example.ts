/** The example pods, applied with the command of their documentation, and what happens to their containers. */
import assert from 'node:assert/strict';
import { appendFileSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import type { ContainerStatus } from '../../../../src/manifest/types/status.ts';
import { type DemoImage, demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { initOf } from '../processes.ts';

export const EXAMPLES = new URL('../../../fixtures/examples/', import.meta.url).pathname;

/** A board that has `images`. */
export async function openBoard(images: DemoImage[], settings: string[] = []): Promise<Board> {
  const board = await Board.open({ settings });
  for (const name of images) await board.load(await demoImage(name));
  return board;
}

/** `edgepod apply -f FILE -d BOARD …`, as EXAMPLES.md says. */
export async function apply(board: Board, file: string, ...more: string[]): Promise<void> {
  const { code, stderr } = await board.edgepod(['apply', '-f', join(EXAMPLES, file), '-d', board.device, ...more]);
  assert.equal(code, 0, stderr);
}

/** What a container has written to its log. */
export async function logs(board: Board, pod: string, container: string): Promise<string> {
  return (await board.edgepod(['logs', pod, '-c', container])).stdout;
}

/** What every attempt of a container has written, read from the board's disk: also when there is no agent to ask. */
export function logsOnDisk(board: Board, uid: string, container: string): string {
  const paths = globSync(join(board.dataDir, 'logs', `*_${uid}`, container, '*.log')).sort();
  const lines = paths.flatMap((path) => readFileSync(path, 'utf8').split('\n'));
  return lines.map((line) => line.replace(/^\S+ \S+ \S+ /, '')).join('\n');
}

/** The status of a container or init container. */
export function statusOf(pod: Pod, container: string): ContainerStatus {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const found = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === container);
  assert.ok(found, `${container} has a status`);
  return found;
}

/** SIGKILL for the process a container began with, as a crash or the kernel's OOM killer ends it. */
export function crash(uid: string, container: string): void {
  const pid = initOf(uid, container);
  assert.ok(pid, `${container} has a process`);
  process.kill(pid, 'SIGKILL');
}

/** Waits until `container` runs again and has been restarted `times` times. Back-off is up to 10 s, then 20 s, … */
export function restarted(board: Board, pod: string, container: string, times: number): Promise<Pod> {
  const again = (seen: Pod) => {
    const { restartCount, state } = statusOf(seen, container);
    return restartCount === times && state.running !== undefined;
  };
  return board.pod(pod, again, 120_000);
}

/** A file in a volume of the pod, seen from the node. */
export class VolumeFile {
  readonly path: string;

  constructor(board: Board, uid: string, volume: string, name: string) {
    this.path = join(board.dataDir, 'pods', uid, 'volumes', volume, name);
  }

  append(text: string): void {
    appendFileSync(this.path, text);
  }

  /** Empty while there is none. */
  read(): string {
    try {
      return readFileSync(this.path, 'utf8');
    } catch {
      return '';
    }
  }
}
