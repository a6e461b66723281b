/** The body of the metrics topic, from figures as the runtime reads them. Pure. */
import type { Figures } from './change.ts';

/** Figures of one control group; what the kernel does not give is absent. Bytes and microseconds. */
export interface GroupFigures {
  memory: {
    current?: number;
    workingSet?: number;
    anon?: number;
    peak?: number;
    limit?: number;
    oomKills?: number;
    pressure: { some?: number; full?: number };
  };
  cpu: { usageUsec?: number; throttledUsec?: number };
  pids?: number;
}

export interface MeasuredPod {
  namespace: string;
  name: string;
  uid: string;
  figures: GroupFigures & {
    containers: Record<string, GroupFigures>;
    network?: { rxBytes: number; txBytes: number };
  };
}

export interface MeasuredNode {
  memory: { total?: number; available?: number; pressure: { some?: number; full?: number } };
  cpu: { busySeconds?: number; totalSeconds?: number; pressure: { some?: number } };
  load: { one?: number; five?: number; fifteen?: number };
  network: { rxBytes?: number; txBytes?: number };
}

export interface MetricsInput {
  node: MeasuredNode;
  pods: MeasuredPod[];
  agent: { rss?: number; anon?: number };
  disk: { capacityBytes: number; availableBytes: number };
  temperatureCelsius?: number;
}

/** The message without its time, so that two of them compare. */
export function metricsBody({ node, pods, agent, disk, temperatureCelsius }: MetricsInput): Figures {
  return {
    node: {
      memory: { ...node.memory, pressure: { ...node.memory.pressure } },
      cpu: { ...node.cpu, pressure: { ...node.cpu.pressure } },
      load: { ...node.load },
      network: { ...node.network },
      disk: { ...disk },
      ...(temperatureCelsius !== undefined && { temperatureCelsius }),
    },
    agent: { ...agent },
    pods: pods.map(({ namespace, name, uid, figures }) => ({
      namespace,
      name,
      uid,
      ...group(figures),
      ...(figures.network && { network: { ...figures.network } }),
      containers: Object.entries(figures.containers)
        .filter(([, container]) => container.memory.current !== undefined)
        .map(([container, own]) => ({ name: container, ...group(own) })),
    })),
  };
}

function group({ memory, cpu, pids }: GroupFigures): Figures {
  return {
    memory: { ...memory, pressure: { ...memory.pressure } },
    cpu: { ...cpu },
    ...(pids !== undefined && { pids }),
  };
}

const MIB = 1 << 20;
const memoryRule = { share: 0.1, floor: MIB };

/** When a figure has changed enough to be sent. Percentages of pressure and load wobble: they need to move visibly. */
export const METRICS_RULES = {
  current: memoryRule,
  workingSet: memoryRule,
  anon: memoryRule,
  peak: memoryRule,
  rss: memoryRule,
  available: { share: 0.1, floor: 16 * MIB },
  swapFree: { share: 0.1, floor: 16 * MIB },
  availableBytes: { share: 0.05, floor: 64 * MIB },
  temperatureCelsius: { share: 0, floor: 3 },
  oomKills: { share: 0, floor: 0 },
  pids: { share: 0.2, floor: 5 },
  some: { share: 0.2, floor: 5 },
  full: { share: 0.2, floor: 5 },
  one: { share: 0.5, floor: 1 },
} as const;

/** Counters that only grow, slow averages, and what `available` sums up already: alone they are no reason to send. */
export const METRICS_IGNORE: ReadonlySet<string> = new Set([
  'usageUsec',
  'throttledUsec',
  'busySeconds',
  'totalSeconds',
  'rxBytes',
  'txBytes',
  'rxPackets',
  'txPackets',
  'free',
  'cached',
  'five',
  'fifteen',
]);
