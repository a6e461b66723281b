import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyVerdict } from '../../../src/client/wait.ts';
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
