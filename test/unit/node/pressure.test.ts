import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeldPressures, type PressureReadings, type Shortage, shortages } from '../../../src/node/pressure.ts';

const GI = 2 ** 30;
const floors = {
  memoryAvailable: { amount: 100 << 20 },
  nodefsAvailable: { share: 0.1 },
  nodefsInodesFree: { share: 0.05 },
  pidAvailable: { amount: 100 },
};
const healthy: PressureReadings = {
  memoryAvailable: GI,
  memoryCapacity: 4 * GI,
  diskAvailable: 5 * GI,
  diskCapacity: 10 * GI,
  inodesFree: 500,
  inodes: 1000,
  pidsFree: 30_000,
  pids: 32_768,
};
const found = (change: Partial<PressureReadings>) =>
  shortages({ ...healthy, ...change }, floors).map(({ resource, condition }) => `${resource} ${condition}`);

describe('what the board is short of', () => {
  const cases: [string, Partial<PressureReadings>, string[]][] = [
    ['nothing', {}, []],
    ['memory at the threshold', { memoryAvailable: 100 << 20 }, []],
    ['memory below it', { memoryAvailable: (100 << 20) - 1 }, ['memory MemoryPressure']],
    ['disk', { diskAvailable: GI - 1 }, ['ephemeral-storage DiskPressure']],
    ['inodes', { inodesFree: 49 }, ['inodes DiskPressure']],
    ['a file system without inode counts (btrfs)', { inodesFree: 0, inodes: 0 }, []],
    ['process ids', { pidsFree: 99 }, ['pids PIDPressure']],
    ['several: memory first', { pidsFree: 0, memoryAvailable: 0 }, ['memory MemoryPressure', 'pids PIDPressure']],
  ];
  for (const [name, change, expected] of cases) test(name, () => assert.deepEqual(found(change), expected));

  test('thresholds and what there is, for people', () => {
    const [shortage] = shortages({ ...healthy, diskAvailable: 7 }, floors);
    assert.deepEqual([shortage?.threshold, shortage?.available], [GI, 7]);
  });
});

test('a pressure is held for five minutes after it was last seen', () => {
  const held = new HeldPressures();
  const memory = [{ condition: 'MemoryPressure' }] as Shortage[];
  assert.deepEqual(held.at(0, memory), ['MemoryPressure']);
  assert.deepEqual(held.at(200_000, memory), ['MemoryPressure']);
  assert.deepEqual(held.at(499_999, []), ['MemoryPressure']);
  assert.deepEqual(held.at(500_000, []), []);
});
