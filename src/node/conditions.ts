/** Node conditions: which pressure the board is under, what its kernel lacks, what needs attention. */
import type { PressureCondition } from './pressure.ts';

export interface NodeCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
}

export interface NodeReadings {
  /** What the board is under; see pressure.ts. */
  pressures: readonly PressureCondition[];
  /** Why pods have no way out of the board and no published ports. */
  networkFault?: string | undefined;
  /** Kernel features that are missing, each with what it costs; see `features` of the runtime. */
  missing: readonly { feature: string; consequence: string }[];
  /** What else is wrong with the board: its settings, its data partition, its clock. */
  notes: readonly { feature: string; consequence: string }[];
}

/**
 * The node's conditions. Pure.
 * @param previous conditions published before: an unchanged status keeps its transition time
 * @param nowText labels transitions
 */
export function nodeConditions(
  readings: NodeReadings,
  previous: readonly NodeCondition[],
  nowText: string,
): NodeCondition[] {
  const found = [
    { type: 'Ready', status: 'True' as const, reason: 'EdgepodReady', message: 'edgepod is running pods' },
    ...PRESSURES.map((words) => pressure(words, readings.pressures.includes(words.type))),
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

/** The kubelet's words. No figures in them: under a lasting pressure every new one would be a message. */
const PRESSURES = [
  {
    type: 'MemoryPressure',
    under: { reason: 'NodeHasInsufficientMemory', message: 'edgepod has insufficient memory available' },
    well: { reason: 'NodeHasSufficientMemory', message: 'edgepod has sufficient memory available' },
  },
  {
    type: 'DiskPressure',
    under: { reason: 'NodeHasDiskPressure', message: 'edgepod has disk pressure' },
    well: { reason: 'NodeHasNoDiskPressure', message: 'edgepod has no disk pressure' },
  },
  {
    type: 'PIDPressure',
    under: { reason: 'NodeHasInsufficientPID', message: 'edgepod has insufficient process ids available' },
    well: { reason: 'NodeHasSufficientPID', message: 'edgepod has sufficient process ids available' },
  },
] as const;

const pressure = ({ type, under, well }: (typeof PRESSURES)[number], is: boolean) =>
  is ? { type, status: 'True' as const, ...under } : { type, status: 'False' as const, ...well };
