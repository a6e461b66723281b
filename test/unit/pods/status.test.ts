/** Phase, conditions and container statuses from states. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PodSpec } from '../../../src/manifest/types/pod.ts';
import { newRecord } from '../../../src/pods/changes/change.ts';
import { newState, type PodState } from '../../../src/pods/state.ts';
import { isProgressOnly, podStatus, publishedPod, rejectedStatus } from '../../../src/pods/status/pod-status.ts';
import { crashLoopMessage } from '../../../src/pods/status/waiting.ts';
import type { ContainerHistory, EndedAttempt, PodRecord } from '../../../src/pods/types.ts';
import { container, desired, mount, pod } from './fixtures.ts';

const now = new Date('2026-01-01T00:10:00.500Z');
const never: ContainerHistory = { launched: -1 };
const starting: ContainerHistory = { launched: 0 };
const running: ContainerHistory = { launched: 0, running: { attempt: 0, startedAt: 's' } };
const exit = (exitCode: number, fields: Partial<EndedAttempt> = {}): EndedAttempt => ({
  attempt: 0,
  exitCode,
  signal: 0,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  finishedMono: 100_000,
  ...fields,
});
const done: ContainerHistory = { launched: 0, ended: exit(0) };
const failed: ContainerHistory = { launched: 0, ended: exit(1) };
const waiting: ContainerHistory = { ...failed, backoff: { delayMs: 20_000, updatedMono: 90_000 } };
const restarting: ContainerHistory = { launched: 1, ended: exit(1) };

/** Containers a, b, … with the given histories. */
const state = (
  policy: PodSpec['restartPolicy'],
  histories: ContainerHistory[],
  fields: Partial<PodRecord> = {},
): PodState => {
  const names = histories.map((_, n) => String.fromCharCode(97 + n));
  const object = pod('p', { restartPolicy: policy, containers: names.map((name) => container(name)) });
  const record = newRecord(desired(object), { uid: 'u', bootId: 'b', now: new Date('2026-01-01T00:00:00Z'), mono: 0 });
  const containers = Object.fromEntries(names.map((name, n) => [name, histories[n] as ContainerHistory]));
  const made = newState({ ...record, containers, ...fields });
  made.sandbox = { phase: 'ready' };
  return made;
};

const deleting = { graceSeconds: 30, deletionTimestamp: 'd', reason: 'Deleted' as const, sinceMono: 0 };

describe('phase', () => {
  const cases: { name: string; state: PodState; phase: string }[] = [
    { name: 'nothing started', state: state('Always', [never]), phase: 'Pending' },
    { name: 'first start under way', state: state('Always', [starting]), phase: 'Pending' },
    { name: 'one runs, one never ran', state: state('Always', [running, never]), phase: 'Pending' },
    { name: 'all run', state: state('Always', [running, running]), phase: 'Running' },
    { name: 'one runs, one is done', state: state('Never', [running, done]), phase: 'Running' },
    { name: 'one runs, one failed for good', state: state('Never', [running, failed]), phase: 'Running' },
    { name: 'a crash loop is Running', state: state('Always', [waiting]), phase: 'Running' },
    { name: 'a restart under way is Running', state: state('Always', [restarting]), phase: 'Running' },
    { name: 'OnFailure, failed: will be restarted', state: state('OnFailure', [failed, done]), phase: 'Running' },
    { name: 'OnFailure, all done', state: state('OnFailure', [done, done]), phase: 'Succeeded' },
    { name: 'Never, all done', state: state('Never', [done, done]), phase: 'Succeeded' },
    { name: 'Never, one failed', state: state('Never', [done, failed]), phase: 'Failed' },
    { name: 'Always, all done: will be restarted', state: state('Always', [done]), phase: 'Running' },
    { name: 'deleted before it started', state: state('Always', [never], { deleting }), phase: 'Failed' },
    { name: 'deleted while it is being started', state: state('Always', [starting], { deleting }), phase: 'Pending' },
    {
      name: 'deleted, one is done, one never ran',
      state: state('Never', [done, never], { deleting }),
      phase: 'Failed',
    },
    {
      name: 'deleted, one runs, one never ran',
      state: state('Never', [running, never], { deleting }),
      phase: 'Pending',
    },
    { name: 'deleted, all ended', state: state('Always', [done], { deleting }), phase: 'Succeeded' },
    {
      name: 'refused',
      state: state('Always', [never], { outcome: { phase: 'Failed', refused: true } }),
      phase: 'Failed',
    },
  ];
  for (const { name, state: given, phase } of cases) {
    test(name, () => assert.equal(podStatus(given, { now }).phase, phase));
  }
});

describe('container status', () => {
  const first = (given: PodState) => podStatus(given, { now }).containerStatuses[0];

  test('running', () => {
    const status = first(state('Always', [{ ...running, imageID: 'sha256:1' }]));
    assert.deepEqual(status, {
      name: 'a',
      state: { running: { startedAt: 's' } },
      lastState: {},
      ready: true,
      started: true,
      restartCount: 0,
      image: 'debian',
      imageID: 'sha256:1',
      containerID: 'edgepod://u/a/0',
    });
  });

  test('running again: the end before is the last state', () => {
    const again = { launched: 1, running: { attempt: 1, startedAt: 's' }, ended: exit(137, { signal: 9 }) };
    const status = first(state('Always', [again]));
    assert.equal(status?.restartCount, 1);
    assert.equal(status?.containerID, 'edgepod://u/a/1');
    assert.deepEqual(status?.lastState.terminated, {
      exitCode: 137,
      signal: 9,
      reason: 'Error',
      containerID: 'edgepod://u/a/0',
    });
  });

  test('in back-off the end moves to the last state', () => {
    const status = first(state('Always', [waiting]));
    assert.equal(status?.state.waiting?.reason, 'CrashLoopBackOff');
    assert.equal(status?.lastState.terminated?.exitCode, 1);
  });

  test('ended for good: the end is the state, the one before it the last state', () => {
    const status = first(state('Never', [{ launched: 1, ended: exit(0, { attempt: 1 }), previous: exit(1) }]));
    assert.equal(status?.state.terminated?.reason, 'Completed');
    assert.equal(status?.lastState.terminated?.exitCode, 1);
    assert.equal(status?.ready, false);
  });

  test('a deleted pod shows ends, not back-offs', () => {
    assert.ok(first(state('Always', [waiting], { deleting }))?.state.terminated);
  });

  for (const [seconds, text] of [
    [10, '10s'],
    [80, '1m20s'],
    [300, '5m0s'],
  ] as const) {
    test(`back-off of ${seconds} s reads ${text}`, () => {
      const { record } = state('Always', [waiting]);
      assert.equal(
        crashLoopMessage(record, 'a', seconds * 1000),
        `back-off ${text} restarting failed container=a pod=p_default(u)`,
      );
    });
  }
});

describe('conditions', () => {
  const verdicts = (given: PodState) =>
    podStatus(given, { now }).conditions.map(({ type, status, reason }) => [type, status, reason].join(' ').trim());

  test('all runs', () => {
    assert.deepEqual(verdicts(state('Always', [running])), [
      'PodReadyToStartContainers True',
      'Initialized True',
      'Ready True',
      'ContainersReady True',
      'PodScheduled True',
    ]);
  });

  test('the unready containers are named', () => {
    const [, , ready] = podStatus(state('Always', [running, never, waiting]), { now }).conditions;
    assert.equal(ready?.message, 'containers with unready status: [b c]');
    assert.equal(ready?.reason, 'ContainersNotReady');
  });

  for (const [phase, reason] of [
    ['Succeeded', 'PodCompleted'],
    ['Failed', 'PodFailed'],
  ] as const) {
    test(phase, () => {
      const all = verdicts(state('Never', [done], { outcome: { phase } }));
      assert.ok(all.includes(`Ready False ${reason}`));
      assert.ok(all.includes(`ContainersReady False ${reason}`));
      assert.ok(all.includes('PodReadyToStartContainers False'));
    });
  }

  test('the time of the last transition stays while the status does', () => {
    const given = state('Always', [never]);
    given.record = { ...given.record, conditions: podStatus(given, { now: new Date(0) }).conditions };
    given.record = { ...given.record, containers: { a: running } };
    const times = podStatus(given, { now }).conditions.map(
      ({ type, lastTransitionTime }) => `${type} ${lastTransitionTime}`,
    );
    assert.deepEqual(times, [
      'PodReadyToStartContainers 1970-01-01T00:00:00Z',
      'Initialized 1970-01-01T00:00:00Z',
      'Ready 2026-01-01T00:10:00Z',
      'ContainersReady 2026-01-01T00:10:00Z',
      'PodScheduled 1970-01-01T00:00:00Z',
    ]);
  });
});

describe('what is published', () => {
  test('metadata tells uid, creation and deletion', () => {
    const { metadata } = publishedPod(state('Always', [running], { deleting }), { now });
    assert.equal(metadata.uid, 'u');
    assert.equal(metadata.creationTimestamp, '2026-01-01T00:00:00Z');
    assert.equal(metadata.deletionTimestamp, 'd');
    assert.equal(metadata.deletionGracePeriodSeconds, 30);
  });

  test('the node address is the pod address in the node network', () => {
    const given = state('Always', [running], { sandboxes: 1 });
    given.record.pod.spec.hostNetwork = true;
    const { podIP, hostIPs } = podStatus(given, { now, hostIP: '192.0.2.7' });
    assert.deepEqual([podIP, hostIPs], ['192.0.2.7', [{ ip: '192.0.2.7' }]]);
  });

  test('mounts are told as the kubelet tells them', () => {
    const given = state('Always', [running]);
    given.record.pod.spec.containers[0]!.volumeMounts = [
      mount('v', '/rw'),
      mount('v', '/ro', { readOnly: true }),
      mount('v', '/all', { readOnly: true, recursiveReadOnly: 'Enabled' }),
      mount('v', '/perhaps', { readOnly: true, recursiveReadOnly: 'IfPossible' }),
    ];
    assert.deepEqual(podStatus(given, { now }).containerStatuses[0]?.volumeMounts, [
      { name: 'v', mountPath: '/rw' },
      { name: 'v', mountPath: '/ro', readOnly: true, recursiveReadOnly: 'Disabled' },
      { name: 'v', mountPath: '/all', readOnly: true, recursiveReadOnly: 'Enabled' },
      { name: 'v', mountPath: '/perhaps', readOnly: true },
    ]);
    assert.equal('volumeMounts' in podStatus(state('Always', [running]), { now }).containerStatuses[0]!, false);
  });

  test('a start under way may be held back, a reason may not', () => {
    const given = state('Always', [never]);
    assert.equal(isProgressOnly(publishedPod(given, { now })), true);
    given.volumes = { phase: 'idle', failure: { reason: 'FailedMount', message: 'no' } };
    assert.equal(isProgressOnly(publishedPod(given, { now })), false);
    assert.equal(isProgressOnly(publishedPod(state('Always', [running]), { now })), false);
  });

  test('a refused manifest beside a good one keeps what runs', () => {
    const errors = [{ path: 'spec', reason: 'bad' }];
    const good = publishedPod(state('Always', [running]), { now });
    const { status } = rejectedStatus('default', 'p', errors, good);
    assert.deepEqual([status.phase, status.errors], ['Running', errors]);
  });
});
