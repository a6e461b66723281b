/** How deleted pods end: who is told first, who is waited for, and what the last status says. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { phase, running, shellPod } from '../pods.ts';
import { init, sidecar } from './cases/parts.ts';
import { statusOf } from './wave.ts';

interface Ending {
  rule: string;
  containers: Parameters<typeof shellPod>[1];
  spec?: object;
  /** When it is deleted; by default when it runs. */
  when?: (pod: Pod) => boolean;
  grace?: number;
  /** Of the lines its containers wrote to /work/marks, and the last it was reported with. */
  check: (marks: string[], last: Pod, killed: boolean) => void;
}

const PATIENCE_MS = 60_000;
const host = mkdtempSync('/var/tmp/edgepod-endings-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(host, { recursive: true });
});

const volumeMounts = [{ name: 'work', mountPath: '/work' }];
const mark = (word: string) => `echo ${word} >> /work/$POD`;
const env = [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
const own = { volumeMounts, env };
/** Runs until it is told to stop, then does `last`. */
const until = (last: string) => `trap '${last}' TERM; while :; do sleep 0.1; done`;
const reported = ({ status }: Pod) =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(({ name, state }) => [
    name,
    state.terminated?.exitCode ?? state.waiting?.reason,
  ]);

const ENDINGS: Ending[] = [
  {
    rule: 'sidecars end after the containers, the last declared first; what they exit with fails nobody',
    containers: [{ sh: until(`sleep 0.5; ${mark('c0')}; exit 0`), ...own }],
    spec: {
      initContainers: [
        sidecar('s1', until(`${mark('s1')}; exit 0`), own),
        sidecar('s2', until(`sleep 0.3; ${mark('s2')}; exit 1`), own),
      ],
    },
    grace: 30,
    check: (marks, last) => {
      assert.deepEqual(marks, ['c0', 's2', 's1']);
      assert.deepEqual(reported(last), [
        ['s1', 0],
        ['s2', 1],
        ['c0', 0],
      ]);
      assert.equal(last.status?.phase, 'Succeeded');
    },
  },
  {
    rule: 'a preStop hook that overruns is not waited for, and lives until SIGKILL',
    containers: [
      {
        sh: until(`${mark('told')}; sleep 100`),
        lifecycle: {
          preStop: { exec: { command: ['/bin/sh', '-c', `while :; do ${mark('hook')}; sleep 0.1; done`] } },
        },
        ...own,
      },
    ],
    grace: 1,
    check: (marks, last, killed) => {
      // The grace may have run out while there was no agent: then there is none left for the hook.
      if (!killed) assert.deepEqual([marks.at(0), marks.at(-1)], ['hook', 'hook'], 'before and after the signal');
      assert.ok(marks.includes('told'));
      assert.deepEqual([...reported(last), last.status?.phase], [['c0', 137], 'Failed']);
    },
  },
  {
    rule: 'one that is being initialized starts nothing more, and has failed',
    containers: [{ sh: mark('c0'), ...own }],
    spec: { initContainers: [init('i', until(`${mark('i')}; exit 0`), own), sidecar('s', mark('s'), own)] },
    when: (pod) => statusOf(pod, 'i').state.running !== undefined,
    grace: 30,
    check: (marks, last) => {
      assert.deepEqual(marks, ['i']);
      assert.equal(last.status?.phase, 'Failed');
    },
  },
  {
    rule: 'readiness is asked until the end, liveness is not',
    containers: [
      {
        // Liveness, which is asked as often, has had its chance when this ends.
        sh: `touch /tmp/ready; ${until('rm /tmp/ready; until grep -q unready /work/$POD; do sleep 0.1; done; sleep 2; exit 0')}`,
        readinessProbe: {
          exec: { command: ['/bin/sh', '-c', `test -e /tmp/ready || { ${mark('unready')}; false; }`] },
          periodSeconds: 1,
        },
        livenessProbe: {
          exec: { command: ['/bin/sh', '-c', `test -e /tmp/ready || { ${mark('dead')}; false; }`] },
          periodSeconds: 1,
          initialDelaySeconds: 1,
        },
        ...own,
      },
    ],
    when: (pod) => statusOf(pod).ready,
    grace: 30,
    check: (marks, last) => {
      assert.ok(marks.includes('unready') && !marks.includes('dead'), marks.join());
      assert.deepEqual([...reported(last), last.status?.phase], [['c0', 0], 'Succeeded']);
    },
  },
  {
    rule: 'one that had ended is as it was',
    containers: [{ sh: `${mark('c0')}; exit 3`, ...own }],
    when: phase('Failed'),
    check: (marks, last) => assert.deepEqual([marks, ...reported(last)], [['c0'], ['c0', 3]]),
  },
];

for (const kills of [0, 1])
  test(`${ENDINGS.length} pods are deleted${kills > 0 ? ', the agent killed on the way' : ''}`, async (t) => {
    const name = (i: number) => `ending-${kills}-${i}`;
    const made = ENDINGS.map(({ containers, spec }, i) =>
      shellPod(name(i), containers, {
        restartPolicy: 'Never',
        volumes: [{ name: 'work', hostPath: { path: host } }],
        ...spec,
      }),
    );
    await Promise.all(made.map((pod, i) => board.desire(name(i), pod)));
    await Promise.all(ENDINGS.map(({ when = running }, i) => board.pod(name(i), when, PATIENCE_MS)));
    const gone = Promise.all(ENDINGS.map(({ grace }, i) => remove(name(i), grace)));
    if (kills > 0) {
      await board.until('one to be told', () => board.status(name(0))?.metadata.deletionTimestamp !== undefined);
      await board.stopAgent('SIGKILL');
      await board.startAgent();
    }
    await gone;
    for (const [i, { rule, check }] of ENDINGS.entries())
      await t.test(rule, () => check(marks(name(i)), lastOf(name(i)), kills > 0));
  });

async function remove(name: string, deletionGracePeriodSeconds?: number): Promise<void> {
  const asked = { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds };
  await board.desire(name, { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...asked } });
  await board.until(`${name} to be gone`, () => board.status(name) === undefined, PATIENCE_MS);
}

function marks(name: string): string[] {
  return readFileSync(join(host, name), 'utf8').trimEnd().split('\n');
}

/** The newest report of a pod before it was cleared. */
function lastOf(name: string): Pod {
  const reports = board.messages.filter(
    ({ topic, payload }) => topic === board.topic(`status/pods/default/${name}`) && payload.length > 0,
  );
  return JSON.parse(String(reports.at(-1)?.payload)) as Pod;
}
