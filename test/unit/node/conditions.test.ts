import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clockFault } from '../../../src/node/clock-fault.ts';
import { type NodeReadings, nodeConditions } from '../../../src/node/conditions.ts';

const healthy: NodeReadings = { pressures: [], missing: [], notes: [] };
const find = (readings: NodeReadings, type: string) => nodeConditions(readings, [], 't').find((c) => c.type === type);

describe('node conditions', () => {
  for (const [change, type, reason] of [
    [{ pressures: ['MemoryPressure'] }, 'MemoryPressure', 'NodeHasInsufficientMemory'],
    [{ pressures: ['DiskPressure'] }, 'DiskPressure', 'NodeHasDiskPressure'],
    [{ pressures: ['PIDPressure'] }, 'PIDPressure', 'NodeHasInsufficientPID'],
    [{ missing: [{ feature: 'psi', consequence: 'no figures' }] }, 'KernelLimited', 'KernelFeaturesMissing'],
    [{ notes: [{ feature: 'clock', consequence: 'says 1970' }] }, 'BoardLimited', 'BoardNeedsAttention'],
  ] as const) {
    test(reason, () => {
      const found = find({ ...healthy, ...change }, type);
      assert.deepEqual([found?.status, found?.reason], ['True', reason]);
      assert.equal(find(healthy, type)?.status, 'False');
    });
  }

  test('an unchanged status keeps its transition time, a changed one gets the new', () => {
    const first = nodeConditions(healthy, [], 'first');
    const second = nodeConditions({ ...healthy, pressures: ['PIDPressure'] }, first, 'second');
    const time = (type: string) => second.find((c) => c.type === type)?.lastTransitionTime;
    assert.equal(time('Ready'), 'first');
    assert.equal(time('PIDPressure'), 'second');
  });
});

describe('the clock', () => {
  const made = new Date('2026-06-01T00:00:00Z');
  test('before the program was made it cannot be right; after, nothing is known against it', () => {
    assert.match(clockFault(new Date(0), made) ?? '', /says 1970-01-01T00:00:00Z.*made 2026-06-01T00:00:00Z/);
    assert.equal(clockFault(made, made), undefined);
    assert.equal(clockFault(new Date('2030-01-01'), made), undefined);
  });
});
