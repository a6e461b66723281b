/** What pods may use of this board: its capacity less what is kept back. */
import type { AgentConfig } from './config.ts';

export interface Capacity {
  cpuCount: number;
  memoryBytes: number;
  /** Of the file system the pods' files are on. */
  storageBytes: number;
}

export function allocatable({ cpuCount, memoryBytes, storageBytes }: Capacity, resources: AgentConfig['resources']) {
  return {
    cpuMilli: Math.max(0, cpuCount * 1000 - resources.reservedCpuMilli),
    memoryBytes: Math.max(0, memoryBytes - resources.reservedMemoryBytes),
    storageBytes,
    pods: resources.maxPods,
  };
}
