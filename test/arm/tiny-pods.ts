/** Pods of one small static program, for tests of the board: loaded in a second where a real image takes half a minute. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '../../src/manifest/types/pod.ts';
import { buildTinyImage } from '../images/tiny.ts';
import { shellPod } from '../integration/board/pods.ts';
import type { Device } from './device.ts';

const IMAGE = 'tiny';
/** Emulated boards share this machine with other tests. */
const PATIENCE_MS = 300_000;

/** Puts the image on the board, by SSH. */
export async function loadTiny(device: Device): Promise<void> {
  await inWork(async (work) => {
    const programs = ['sleeper', 'exit', 'hog', 'print'];
    const archive = await buildTinyImage(work, { name: IMAGE, arch: 'arm64', programs });
    await device.sure('cat > /run/tiny.tar', { input: archive });
    await device.sure('edgepod image load /run/tiny.tar', { patienceMs: PATIENCE_MS });
    await device.sure('rm /run/tiny.tar');
  });
}

interface Tiny {
  /** Default: `/bin/sleeper`. */
  command?: string[];
  spec?: object;
  container?: object;
}

export function tinyPod(name: string, { command = ['/bin/sleeper'], spec = {}, container = {} }: Tiny = {}) {
  return shellPod(name, [{ image: IMAGE, command, ...container }], spec);
}

/** Publishes the manifest; the board may be off. */
export async function apply(device: Device, pod: object): Promise<void> {
  await inWork(async (work) => {
    const file = join(work, 'pod.json');
    writeFileSync(file, JSON.stringify(pod));
    const { code, stdout, stderr } = await device.edgepod(['apply', '-f', file, '-d', device.name]);
    assert.equal(code, 0, stdout + stderr);
  });
}

/** What the board last said of the pod. */
export async function podNow(device: Device, name: string): Promise<Pod | undefined> {
  const { code, stdout } = await device.edgepod(['get', 'pods', name, '-d', device.name, '-o', 'json']);
  return code === 0 ? (JSON.parse(stdout) as Pod) : undefined;
}

/** Waits until what the board says of the pod satisfies `wanted`; a failure shows what it said last. */
export async function untilPod(device: Device, name: string, wanted: (pod: Pod) => boolean): Promise<Pod> {
  let last: Pod | undefined;
  try {
    return await device.until(
      `pod ${name}`,
      async () => {
        last = (await podNow(device, name)) ?? last;
        return last !== undefined && wanted(last) && last;
      },
      PATIENCE_MS,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}\nlast: ${JSON.stringify(last?.status)}`);
  }
}

export const running = ({ status }: Pod) =>
  status?.phase === 'Running' && status.containerStatuses.every(({ state }) => state.running !== undefined);
export const restarts = (pod: Pod) => pod.status!.containerStatuses[0]!.restartCount;

/** Process id and start time of every process of pods on the board: the same text means the same processes. */
export function podProcesses(device: Device): Promise<string> {
  return device.sure(
    'for f in $(find /sys/fs/cgroup/edgepod -name cgroup.procs); do cat $f; done | sort -n | while read p; do cut -d" " -f1,2,22 /proc/$p/stat; done',
  );
}

async function inWork<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'edgepod-arm-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
