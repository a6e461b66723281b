/** What the board is short of: the kubelet's hard eviction signals, and the node conditions they make. Pure. */

/** Below it the board is short: an amount (bytes, inodes, process ids), or a share of what there is in all. */
export type Floor = { amount: number } | { share: number };

export interface PressureFloors {
  memoryAvailable: Floor;
  nodefsAvailable: Floor;
  nodefsInodesFree: Floor;
  pidAvailable: Floor;
}

/** Bytes and counts; infinite where it cannot be told. `inodes` 0: a file system that does not count them. */
export interface PressureReadings {
  memoryAvailable: number;
  memoryCapacity: number;
  diskAvailable: number;
  diskCapacity: number;
  inodesFree: number;
  inodes: number;
  pidsFree: number;
  pids: number;
}

export type PressureCondition = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

export interface Shortage {
  /** As Kubernetes calls it. */
  resource: 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';
  condition: PressureCondition;
  threshold: number;
  available: number;
}

/** What there is too little of, in the order in which pods are ended for it: memory first. */
export function shortages(readings: PressureReadings, floors: PressureFloors): Shortage[] {
  const { memoryAvailable, memoryCapacity, diskAvailable, diskCapacity, inodesFree, inodes, pidsFree, pids } = readings;
  const all: Shortage[] = [
    {
      resource: 'memory',
      condition: 'MemoryPressure',
      available: memoryAvailable,
      threshold: thresholdOf(floors.memoryAvailable, memoryCapacity),
    },
    {
      resource: 'ephemeral-storage',
      condition: 'DiskPressure',
      available: diskAvailable,
      threshold: thresholdOf(floors.nodefsAvailable, diskCapacity),
    },
    {
      resource: 'inodes',
      condition: 'DiskPressure',
      available: inodes === 0 ? Number.POSITIVE_INFINITY : inodesFree,
      threshold: thresholdOf(floors.nodefsInodesFree, inodes),
    },
    {
      resource: 'pids',
      condition: 'PIDPressure',
      available: pidsFree,
      threshold: thresholdOf(floors.pidAvailable, pids),
    },
  ];
  return all.filter(({ available, threshold }) => available < threshold);
}

function thresholdOf(floor: Floor, capacity: number): number {
  return 'amount' in floor ? floor.amount : Math.floor(floor.share * capacity);
}

/** A pressure stays a condition this long after it was last seen, so that it does not flap (kubelet: 5 min). */
const HOLD_MS = 5 * 60_000;

/** Remembers when each pressure was last seen. */
export class HeldPressures {
  readonly #lastSeen = new Map<PressureCondition, number>();

  /** The pressures the node is under at `now` (monotonic ms), where `found` is what it is short of at this moment. */
  at(now: number, found: readonly Shortage[]): PressureCondition[] {
    for (const { condition } of found) this.#lastSeen.set(condition, now);
    for (const [condition, seen] of this.#lastSeen) if (now - seen >= HOLD_MS) this.#lastSeen.delete(condition);
    return [...this.#lastSeen.keys()].sort();
  }
}
