import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeUsage, podUsages, type Sample } from '../../../src/client/usage.ts';

const MIB = 2 ** 20;

function sample(monotonicMs: number, usageUsec: number | undefined, busySeconds: number): Sample {
  const group = {
    memory: { current: 9 * MIB, workingSet: 5 * MIB },
    cpu: usageUsec === undefined ? {} : { usageUsec },
  };
  return {
    monotonicMs,
    node: {
      memory: { total: 100 * MIB, available: 75 * MIB },
      cpu: { busySeconds, totalSeconds: (monotonicMs / 1000) * 2 },
    },
    pods: [{ namespace: 'default', name: 'web', uid: 'u', ...group, containers: [{ name: 'c', ...group }] }],
  };
}

test('rates are over the device’s own monotonic time', () => {
  const pair: [Sample, Sample] = [sample(10_000, 1_000_000, 5), sample(12_000, 1_500_000, 6)];
  const usage = { cpuMilli: 250, memoryBytes: 5 * MIB };
  assert.deepEqual(podUsages(pair), [
    { namespace: 'default', name: 'web', ...usage, containers: [{ name: 'c', ...usage }] },
  ]);
  assert.deepEqual(nodeUsage(pair), { cpuMilli: 500, cpuShare: 0.25, memoryBytes: 25 * MIB, memoryShare: 0.25 });
});

test('a counter that began anew, or that is not there, gives no rate', () => {
  for (const second of [200_000, undefined])
    assert.deepEqual(podUsages([sample(0, 1_000_000, 5), sample(1000, second, 6)])[0]?.containers, [
      { name: 'c', memoryBytes: 5 * MIB },
    ]);
});

test('a pod that was not there at the first look is left out', () => {
  const first = { ...sample(0, 0, 0), pods: [] };
  assert.deepEqual(podUsages([first, sample(1000, 1, 1)]), []);
});
