/** Quality-of-service class and what the OOM killer is told (`helper/qos/qos.go`, `pkg/kubelet/qos/policy.go`). */
import { effectiveLimit, effectiveRequest, resourceAmounts } from './requests.ts';
import type { Container, Pod, QosClass } from './types.ts';

/** The infra process and the shim: killed only after every container, since they take the pod down with them. */
export const SANDBOX_OOM_SCORE_ADJ = -998;
const GUARANTEED = -997;
const BEST_EFFORT = 1000;

/** BestEffort: nothing asked · Guaranteed: every container limited in both and asking for just that · else Burstable. */
export function qosClass(pod: Pod): QosClass {
  const all = pod.spec.containers.flatMap((c) => [
    resourceAmounts(c.resources.requests),
    resourceAmounts(c.resources.limits),
  ]);
  if (all.every((amounts) => amounts.cpuMilli === 0 && amounts.memoryBytes === 0)) return 'BestEffort';
  const request = effectiveRequest(pod);
  const limit = effectiveLimit(pod);
  const guaranteed = limit.cpuMilli === request.cpuMilli && limit.memoryBytes === request.memoryBytes;
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/**
 * `oom_score_adj` of one container: the larger its share of the node's memory it asked for, the later it is killed.
 * @param nodeMemory bytes of the machine's memory
 */
export function oomScoreAdj(pod: Pod, container: Container, nodeMemory: number): number {
  const qos = qosClass(pod);
  if (qos === 'Guaranteed') return GUARANTEED;
  if (qos === 'BestEffort') return BEST_EFFORT;
  const { memoryBytes } = resourceAmounts(container.resources.requests);
  const score = 1000 - Math.floor((1000 * memoryBytes) / nodeMemory);
  // Never as low as Guaranteed, never as high as BestEffort.
  return Math.min(BEST_EFFORT - 1, Math.max(1000 + GUARANTEED, score));
}
