/** Quality-of-service class and what the OOM killer is told (`helper/qos/qos.go`, `pkg/kubelet/qos/policy.go`). */
import { SYSTEM_PRIORITIES } from './defaults.ts';
import { compareQuantities, parseNano } from './quantity.ts';
import { isSidecar, resourceAmounts, type WithSpec } from './requests.ts';
import type { Container, ResourceRequirements } from './types/container.ts';
import type { QosClass } from './types/status.ts';

/** The infra process and the shim: killed only after every container, since they take the pod down with them. */
export const SANDBOX_OOM_SCORE_ADJ = -998;
const GUARANTEED = -997;
/** No priority of a user's own reaches this. */
const NODE_CRITICAL = SYSTEM_PRIORITIES.get('system-node-critical') as number;
const BEST_EFFORT = 1000;

/**
 * BestEffort: no cpu or memory asked for · Guaranteed: everybody limited in both and asking for just that · else
 * Burstable. Everybody is every container, init containers too, or the pod where it has resources of its own.
 */
export function qosClass({ spec }: WithSpec): QosClass {
  const own = spec.resources;
  const all: ResourceRequirements[] =
    own !== undefined && (names(own) || [own.limits, own.requests].some((list) => list !== undefined))
      ? [own]
      : [...spec.containers, ...spec.initContainers].map(({ resources }) => resources);
  if (!all.some(names)) return 'BestEffort';
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

/**
 * `oom_score_adj` of one container: the larger its share of the node's memory it asked for, the later it is killed. What
 * the pod asked for beyond its containers is shared among them. A sidecar is not killed before the containers it serves;
 * what is critical to the node is killed last whatever it asked for.
 * @param nodeMemory bytes of the machine's memory
 */
export function oomScoreAdj(pod: WithSpec, container: Container, nodeMemory: number): number {
  const qos = qosClass(pod);
  if (qos === 'Guaranteed' || pod.spec.priority >= NODE_CRITICAL) return GUARANTEED;
  if (qos === 'BestEffort') return BEST_EFFORT;
  const { containers, initContainers } = pod.spec;
  const spare = spareMemory(pod);
  const score = (bytes: number) => 1000 - Math.floor((1000 * (bytes + spare)) / nodeMemory);
  const own = score(memory(container));
  const sidecar = isSidecar(container) && initContainers.some(({ name }) => name === container.name);
  const served = sidecar ? Math.min(own, score(Math.min(...containers.map(memory)))) : own;
  // Never as low as Guaranteed, never as high as BestEffort.
  return Math.min(BEST_EFFORT - 1, Math.max(1000 + GUARANTEED, served));
}

/** Bytes per container that the pod asks for and no container does. */
function spareMemory({ spec }: WithSpec): number {
  const asked = resourceAmounts(spec.resources?.requests).memoryBytes;
  const running = [...spec.containers, ...spec.initContainers.filter(isSidecar)];
  const taken = running.reduce((sum, container) => sum + memory(container), 0);
  return Math.max(0, Math.floor((asked - taken) / running.length));
}

function memory({ resources }: Container): number {
  return resourceAmounts(resources.requests).memoryBytes;
}

/** Whether more than nothing of cpu or memory is asked for. */
function names({ requests, limits }: ResourceRequirements): boolean {
  return [requests, limits].some((list) => {
    const { cpuMilli, memoryBytes } = resourceAmounts(list);
    return cpuMilli > 0 || memoryBytes > 0;
  });
}

function isGuaranteed({ requests, limits }: ResourceRequirements): boolean {
  return ['cpu', 'memory'].every((name) => {
    const [request, limit] = [requests?.[name], limits?.[name]];
    return (
      request !== undefined && limit !== undefined && parseNano(limit) > 0n && compareQuantities(request, limit) === 0
    );
  });
}
