/** What pods may use of this board: its capacity less what is kept back. */
import type { AgentConfig } from '../config/config.ts';

/** The rest is kept back: below it the node is under disk pressure. */
const STORAGE_SHARE = 0.9;

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
    storageBytes: Math.floor(storageBytes * STORAGE_SHARE),
    pods: resources.maxPods,
  };
}
