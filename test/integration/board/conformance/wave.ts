/**
 * Many small pods at once on one board, each with what must come of it: the rules Kubernetes' node conformance suite
 * checks, case by case. A wave can be disturbed: the agent is then killed and started again while the pods are on their way.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import type { ContainerStatus } from '../../../../src/manifest/types/status.ts';
import type { Board } from '../board.ts';
import { type Manifest, shellPod } from '../pods.ts';

export interface Case {
  /** What the rule is; the pod's name is made of its number. */
  rule: string;
  /** Containers and spec, as for `shellPod`. Run-once unless the spec says otherwise. */
  containers: Parameters<typeof shellPod>[1];
  spec?: object;
  metadata?: object;
  /** When the pod is as it should be; by default when it has ended. */
  until?: (pod: Pod) => boolean;
  /** All that container `c0` printed, over all its attempts. `{pod}` stands for the pod's name. */
  prints?: string | RegExp;
  /** Further checks. */
  check?: (pod: Pod, board: Board) => void | Promise<void>;
}

/** The machine may be busy. */
const PATIENCE_MS = 60_000;

/** One test per case, after all of them were started together. */
export function wave(what: string, board: () => Board, cases: readonly Case[], { kills = 0 } = {}): void {
  const name = (i: number) => `${what}-${i}`;
  test(`${what}: ${cases.length} pods${kills > 0 ? `, the agent killed ${kills} times` : ''}`, async (t) => {
    await Promise.all(cases.map((item, i) => board().desire(name(i), manifest(name(i), item))));
    for (let kill = 1; kill <= kills; kill++) {
      const enough = Math.ceil((cases.length * kill) / (kills + 1));
      const begun = () => cases.filter((_, i) => begunPod(board().status(name(i)))).length;
      await board().until(`${enough} pods to have begun`, () => begun() >= enough, PATIENCE_MS);
      await board().stopAgent('SIGKILL');
      await board().startAgent();
    }
    for (const [i, item] of cases.entries())
      await t.test(item.rule, async () => {
        const pod = await board().pod(name(i), item.until ?? ended, PATIENCE_MS);
        if (item.prints !== undefined) checkPrinted(printed(board(), pod), item.prints, name(i), pod);
        await item.check?.(pod, board());
      });
    await Promise.all(cases.map((_, i) => board().undesire(name(i))));
  });
}

function manifest(name: string, { containers, spec = {}, metadata = {} }: Case): Manifest {
  const pod = shellPod(name, containers, { restartPolicy: 'Never', ...spec });
  return { ...pod, metadata: { ...pod.metadata, ...metadata } };
}

function checkPrinted(text: string, expected: string | RegExp, name: string, pod: Pod): void {
  const detail = () => `${text}\n${JSON.stringify(pod.status, null, 1)}`;
  if (typeof expected !== 'string') assert.match(text, expected, detail());
  else assert.equal(text, expected.replaceAll('{pod}', name), detail());
}

export function ended(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function begunPod(pod: Pod | undefined): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].some(({ state }) => state.running || state.terminated);
}

export function statusOf(pod: Pod, name = 'c0'): ContainerStatus {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const found = [...initContainerStatuses, ...containerStatuses].find((status) => status.name === name);
  assert.ok(found, `no status of ${name}`);
  return found;
}

/** What a container wrote, attempt after attempt, read from its log on the board: no command is run for it. */
export function printed(board: Pick<Board, 'dataDir'>, pod: Pod, container = 'c0'): string {
  const { namespace, name, uid } = pod.metadata;
  const dir = join(board.dataDir, 'logs', `${namespace}_${name}_${uid}`, container);
  const attempts = readdirSync(dir).filter((file) => /^\d+\.log$/.test(file));
  attempts.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return attempts.flatMap((file) => readFileSync(join(dir, file), 'utf8').split('\n').map(textOf)).join('');
}

/** `<time> <stream> <P|F> <text>`: P is a line that goes on. */
function textOf(line: string): string {
  const [, tag, text] = /^\S+ (?:stdout|stderr) ([PF]) (.*)$/.exec(line) ?? [];
  if (tag === undefined) return '';
  return tag === 'P' ? (text as string) : `${text}\n`;
}
