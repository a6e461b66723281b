/** What pods may use of this board: its capacity less what is kept back. */
import type { AgentConfig } from './config.ts';

export interface Capacity {
  cpuCount: number;
  memoryBytes: number;
}

export function allocatable({ cpuCount, memoryBytes }: Capacity, resources: AgentConfig['resources']) {
  return {
    cpuMilli: Math.max(0, cpuCount * 1000 - resources.reservedCpuMilli),
    memoryBytes: Math.max(0, memoryBytes - resources.reservedMemoryBytes),
    pods: resources.maxPods,
  };
}
