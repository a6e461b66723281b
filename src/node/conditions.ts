/** Node conditions, decided from figures alone: which pressure the board is under and what its kernel lacks. */

export interface NodeCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
}

export interface NodeReadings {
  memoryAvailableBytes: number;
  diskAvailableBytes: number;
  diskCapacityBytes: number;
  inodesFree: number;
  inodes: number;
  pidsFree: number;
  /** Why pods have no way out of the board and no published ports. */
  networkFault?: string | undefined;
  /** Kernel features that are missing, each with what it costs; see `features` of the runtime. */
  missing: readonly { feature: string; consequence: string }[];
  /** What else is wrong with the board: its settings, its data partition, its clock. */
  notes: readonly { feature: string; consequence: string }[];
}

/** Thresholds of the kubelet's hard eviction defaults (reference: pkg/kubelet/eviction). */
const MEMORY_FLOOR = 100 << 20;
const DISK_FLOOR = 0.1;
const INODE_FLOOR = 0.05;
const PID_FLOOR = 100;
/** A pressure stays reported this long after it was last seen, so that it does not flap (kubelet: 5 min). */
const PRESSURE_HOLD_MS = 5 * 60_000;

export interface PressureMemory {
  /** Monotonic ms at which each pressure was last seen. */
  lastSeen: Map<string, number>;
}

/**
 * The node's conditions. Pure but for `memory`, which remembers when a pressure was last seen.
 * @param previous conditions published before: an unchanged status keeps its transition time
 * @param monotonicMs now, for the hold; `nowText` only labels transitions
 */
export function nodeConditions(
  readings: NodeReadings,
  previous: readonly NodeCondition[],
  memory: PressureMemory,
  monotonicMs: number,
  nowText: string,
): NodeCondition[] {
  const pressure = (type: string, under: boolean, reason: string, figure: string) => {
    if (under) memory.lastSeen.set(type, monotonicMs);
    const last = memory.lastSeen.get(type);
    const held = last !== undefined && monotonicMs - last < PRESSURE_HOLD_MS;
    return held
      ? { type, status: 'True' as const, reason: `NodeHas${reason}`, message: figure }
      : {
          type,
          status: 'False' as const,
          reason: `NodeHas${SUFFICIENT[type]}`,
          message: `edgepod has ${ENOUGH[type]}`,
        };
  };
  const diskShare = readings.diskAvailableBytes / Math.max(1, readings.diskCapacityBytes);
  const inodeShare = readings.inodes === 0 ? 1 : readings.inodesFree / readings.inodes;
  const found = [
    { type: 'Ready', status: 'True' as const, reason: 'EdgepodReady', message: 'edgepod is running pods' },
    pressure(
      'MemoryPressure',
      readings.memoryAvailableBytes < MEMORY_FLOOR,
      'InsufficientMemory',
      `${mebibytes(readings.memoryAvailableBytes)} available, threshold ${mebibytes(MEMORY_FLOOR)}`,
    ),
    pressure(
      'DiskPressure',
      diskShare < DISK_FLOOR || inodeShare < INODE_FLOOR,
      'DiskPressure',
      `${mebibytes(readings.diskAvailableBytes)} (${percent(diskShare)}) and ${percent(inodeShare)} of inodes free`,
    ),
    pressure('PIDPressure', readings.pidsFree < PID_FLOOR, 'InsufficientPID', `${readings.pidsFree} process ids free`),
    networkCondition(readings.networkFault),
    limited('KernelLimited', readings.missing, {
      True: 'KernelFeaturesMissing',
      False: 'KernelComplete',
      well: 'nothing is missing',
    }),
    limited('BoardLimited', readings.notes, {
      True: 'BoardNeedsAttention',
      False: 'BoardInOrder',
      well: 'settings, data partition and clock are in order',
    }),
  ];
  return found.map((condition) => {
    const before = previous.find(({ type }) => type === condition.type);
    const unchanged = before?.status === condition.status;
    return { ...condition, lastTransitionTime: unchanged ? before.lastTransitionTime : nowText };
  });
}

/** A condition that is true while there is something to be told. */
function limited(
  type: string,
  notes: readonly { feature: string; consequence: string }[],
  { True, False, well }: { True: string; False: string; well: string },
) {
  if (notes.length === 0) return { type, status: 'False' as const, reason: False, message: well };
  const message = notes.map(({ feature, consequence }) => `${feature}: ${consequence}`).join('; ');
  return { type, status: 'True' as const, reason: True, message };
}

const networkCondition = (fault: string | undefined) =>
  fault === undefined
    ? {
        type: 'NetworkUnavailable',
        status: 'False' as const,
        reason: 'RulesInPlace',
        message: 'pods reach the outside',
      }
    : {
        type: 'NetworkUnavailable',
        status: 'True' as const,
        reason: 'NoPacketRules',
        message: `pods reach only each other and the board, and hostPort does not work: ${fault}`,
      };

const SUFFICIENT: Record<string, string> = {
  MemoryPressure: 'SufficientMemory',
  DiskPressure: 'NoDiskPressure',
  PIDPressure: 'SufficientPID',
};
const ENOUGH: Record<string, string> = {
  MemoryPressure: 'sufficient memory available',
  DiskPressure: 'no disk pressure',
  PIDPressure: 'sufficient process ids available',
};

const mebibytes = (bytes: number) => `${Math.floor(bytes / (1 << 20))}Mi`;
const percent = (share: number) => `${Math.round(share * 100)}%`;
