import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyVerdict, delayReason } from '../../../src/client/wait.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';

const pod = (status: object) =>
  ({
    metadata: { name: 'web' },
    status: { observedGeneration: 2, containerStatuses: [], ...status },
  }) as unknown as Pod;
const container = (state: object, ready = false) => ({ name: 'c', state, ready });

for (const [name, status, expected] of [
  ['an older generation says nothing', { observedGeneration: 1, phase: 'Running' }, { done: false }],
  ['no containers yet', { phase: 'Pending' }, { done: false }],
  ['running but not ready', { phase: 'Running', containerStatuses: [container({ running: {} })] }, { done: false }],
  [
    'running and ready',
    { phase: 'Running', containerStatuses: [container({ running: {} }, true)] },
    { done: true, ok: true, settled: false, message: 'pod/web is running' },
  ],
  [
    'one ready, one completed',
    {
      phase: 'Running',
      containerStatuses: [container({ running: {} }, true), container({ terminated: { exitCode: 0 } })],
    },
    { done: true, ok: true, settled: false, message: 'pod/web is running' },
  ],
  ['succeeded', { phase: 'Succeeded' }, { done: true, ok: true, settled: true, message: 'pod/web succeeded' }],
  [
    'refused',
    { phase: 'Pending', errors: [{ path: 'spec.x', reason: 'unknown field' }] },
    { done: true, ok: false, settled: true, message: 'pod/web was refused:\n  spec.x: unknown field' },
  ],
  [
    'not admitted',
    { phase: 'Failed', reason: 'OutOfmemory', message: 'too big' },
    { done: true, ok: false, settled: true, message: 'pod/web failed: OutOfmemory: too big' },
  ],
  [
    'a container failed',
    { phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 3, reason: 'Error' } })] },
    { done: true, ok: false, settled: true, message: 'pod/web failed: c ended with 3 (Error)' },
  ],
] as const)
  test(`apply --wait: ${name}`, () => assert.deepEqual(applyVerdict(pod(status), 2), expected));

for (const [name, reported, expected] of [
  ['nothing reported', undefined, 'the device has not answered to this manifest'],
  ['another generation', pod({ observedGeneration: 1 }), 'the device has not answered to this manifest'],
  [
    'what a container waits for',
    pod({
      phase: 'Pending',
      containerStatuses: [container({ waiting: { reason: 'ErrImagePull', message: 'no image' } })],
    }),
    'ErrImagePull: no image',
  ],
  [
    'an init container first',
    pod({
      phase: 'Pending',
      initContainerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } })],
      containerStatuses: [container({ waiting: { reason: 'ErrImagePull', message: 'no image' } })],
    }),
    'CrashLoopBackOff: back-off',
  ],
  [
    'a probe that says no',
    pod({ phase: 'Running', containerStatuses: [container({ running: {} })] }),
    'containers that are not ready: c',
  ],
  ['a port that is taken', pod({ phase: 'Pending', reason: 'Waiting', message: 'port 80' }), 'Waiting: port 80'],
] as const)
  test(`why it takes so long: ${name}`, () => assert.equal(delayReason(reported, 2), expected));
