import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clockFault } from '../../../src/node/clock-fault.ts';
import { type NodeReadings, nodeConditions } from '../../../src/node/conditions.ts';

const GI = 1 << 30;
const healthy: NodeReadings = {
  memoryAvailableBytes: GI,
  diskAvailableBytes: 5 * GI,
  diskCapacityBytes: 10 * GI,
  inodesFree: 500,
  inodes: 1000,
  pidsFree: 30_000,
  missing: [],
  notes: [],
};
const status = (readings: NodeReadings, type: string) =>
  nodeConditions(readings, [], { lastSeen: new Map() }, 0, 't').find((c) => c.type === type)?.status;

describe('node conditions', () => {
  for (const [name, change, type] of [
    ['memory below 100Mi', { memoryAvailableBytes: (100 << 20) - 1 }, 'MemoryPressure'],
    ['disk below 10%', { diskAvailableBytes: 0.99 * GI }, 'DiskPressure'],
    ['inodes below 5%', { inodesFree: 49 }, 'DiskPressure'],
    ['few pids', { pidsFree: 99 }, 'PIDPressure'],
    [
      'a missing kernel feature',
      { missing: [{ feature: 'psi', consequence: 'no pressure figures' }] },
      'KernelLimited',
    ],
    ['a board that needs attention', { notes: [{ feature: 'clock', consequence: 'says 1970' }] }, 'BoardLimited'],
  ] as const) {
    test(name, () => {
      assert.equal(status({ ...healthy, ...change }, type), 'True');
      assert.equal(status(healthy, type), 'False');
    });
  }

  test('a file system without inode counts (btrfs) is not under inode pressure', () => {
    assert.equal(status({ ...healthy, inodes: 0, inodesFree: 0 }, 'DiskPressure'), 'False');
  });

  test('a pressure is held for five minutes after it was last seen', () => {
    const memory = { lastSeen: new Map<string, number>() };
    const at = (ms: number, bytes: number) =>
      nodeConditions({ ...healthy, memoryAvailableBytes: bytes }, [], memory, ms, 't').find(
        (c) => c.type === 'MemoryPressure',
      )?.status;
    assert.equal(at(0, 1), 'True');
    assert.equal(at(299_999, GI), 'True');
    assert.equal(at(300_000, GI), 'False');
  });

  test('an unchanged status keeps its transition time, a changed one gets the new', () => {
    const memory = { lastSeen: new Map<string, number>() };
    const first = nodeConditions(healthy, [], memory, 0, 'first');
    const second = nodeConditions({ ...healthy, pidsFree: 1 }, first, memory, 1, 'second');
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
