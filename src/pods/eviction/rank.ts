/** Which pod ends first when the node is short of something (kubelet `eviction/helpers.go`). Pure. */

/** What the node can be short of, as Kubernetes calls it. */
export type StarvedResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids';

export interface Candidate {
  priority: number;
  /** Of the resource the node is short of: bytes, inodes or processes. */
  usage: number;
  /** What the pod asked for of it; of inodes and processes nothing can be asked. */
  request: number;
}

/** From here on a pod is critical (system-cluster-critical, system-node-critical): it is never ended for others. */
const CRITICAL = 2_000_000_000;

export const isCritical = ({ priority }: { priority: number }): boolean => priority >= CRITICAL;

/**
 * Those that may be ended, first the one that has to go first: who uses more than was asked for, then the lower priority,
 * then who uses more beyond its request. Process ids: priority, then the number of processes. Otherwise in the order given.
 */
export const ranked = <T extends Candidate>(resource: StarvedResource, candidates: readonly T[]): T[] =>
  candidates
    .filter((candidate) => !isCritical(candidate))
    .sort(
      (a, b) =>
        (resource === 'pids' ? 0 : Number(exceeds(b)) - Number(exceeds(a))) ||
        a.priority - b.priority ||
        b.usage - b.request - (a.usage - a.request),
    );

const exceeds = ({ usage, request }: Candidate): boolean => usage > request;
