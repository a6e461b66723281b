/** cgroup limits of a pod and of its containers, as OCI `linux.resources` (kubelet `pkg/kubelet/cm`). */
import { CPU_PERIOD, cpuQuota, cpuShares } from './cpu.ts';
import { qosClass } from './qos.ts';
import { effectiveLimit, effectiveRequest, resourceAmounts, type WithSpec } from './requests.ts';
import type { Container } from './types/container.ts';
import type { Pod } from './types/pod.ts';

/** The part of OCI `linux.resources` edgepod sets. Bytes, microseconds; `swap` counts memory and swap together. */
export interface LinuxResources {
  memory?: { limit?: number; swap?: number };
  cpu?: { shares?: number; quota?: number; period?: number };
  pids?: { limit: number };
  unified?: Record<string, string>;
}

/**
 * Bytes the pod's cgroup may use beyond the sum of its containers' limits: the shim and the infra process are counted
 * there too, and must not eat into what the containers were promised.
 */
export const SANDBOX_MEMORY = 2 * 1024 * 1024;

/** Limits of the pod's cgroup. A limit is set only where every container has one; otherwise the containers' own hold. */
export function podResources(pod: Pod, { pidsLimit }: { pidsLimit?: number } = {}): LinuxResources {
  const limit = effectiveLimit(pod);
  return {
    ...(limit.memoryBytes !== undefined && memoryLimit(limit.memoryBytes + SANDBOX_MEMORY)),
    cpu: cpu(qosClass(pod) === 'BestEffort' ? 0 : effectiveRequest(pod).cpuMilli, limit.cpuMilli ?? 0),
    ...(pidsLimit !== undefined && { pids: { limit: pidsLimit } }),
  };
}

/**
 * Limits of one container's cgroup; what it has none of it takes from the pod's own, which it could not exceed anyway: so
 * the program sees how much it may use. When its memory runs out all its processes die, so that it ends and is
 * restarted.
 */
export function containerResources(container: Container, { spec }: WithSpec): LinuxResources {
  const request = resourceAmounts(container.resources.requests);
  const limit = resourceAmounts({ ...spec.resources?.limits, ...container.resources.limits });
  return {
    ...(limit.memoryBytes > 0 && memoryLimit(limit.memoryBytes)),
    cpu: cpu(request.cpuMilli, limit.cpuMilli),
    unified: { 'memory.oom.group': '1' },
  };
}

/** No swap, as the kubelet's default NoSwap: on an SD card it would wear the card out. */
function memoryLimit(bytes: number): LinuxResources {
  return { memory: { limit: bytes, swap: bytes } };
}

function cpu(requestMilli: number, limitMilli: number): { shares: number; quota?: number; period?: number } {
  const quota = cpuQuota(limitMilli);
  return { shares: cpuShares(requestMilli), ...(quota !== undefined && { quota, period: CPU_PERIOD }) };
}
