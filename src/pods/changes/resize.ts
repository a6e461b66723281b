/** Changed amounts of cpu and memory of a pod that runs: what they ask for, and whether the node has them. Pure. */
import { ownContainers } from '../../manifest/containers.ts';
import { canonicalJson } from '../../manifest/digest.ts';
import { effectiveRequest } from '../../manifest/requests.ts';
import type { Container, ResourceRequirements } from '../../manifest/types/container.ts';
import type { Pod, PodSpec } from '../../manifest/types/pod.ts';
import type { Allocatable } from '../admission/admission.ts';
import type { LinuxResources } from '../ports.ts';
import type { Allocation, ContainerHistory, PendingResize, PodRecord } from '../types.ts';

export type Resize = 'none' | 'in-place' | 'restart';

/** What the difference between what the cgroup was given and what the spec says asks for. */
export const resizeOf = (container: Container, { resources }: ContainerHistory): Resize => {
  if (resources === undefined) return 'none';
  const changed = ['cpu', 'memory'].filter((name) => figures(resources, name) !== figures(container.resources, name));
  if (changed.length === 0) return 'none';
  const restarts = container.resizePolicy.some(
    ({ resourceName, restartPolicy }) => restartPolicy === 'RestartContainer' && changed.includes(resourceName),
  );
  return restarts ? 'restart' : 'in-place';
};

const figures = ({ limits, requests }: ResourceRequirements, name: string): string =>
  `${limits?.[name] ?? ''} ${requests?.[name] ?? ''}`;

export const allocationOf = (spec: PodSpec): Allocation => ({
  pod: spec.resources ?? {},
  containers: Object.fromEntries(ownContainers(spec).map(({ name, resources }) => [name, resources])),
});

/** Whether the pod's cgroup has what the spec says. Of records of older agents it is taken for granted. */
export const isGiven = ({ given, pod }: PodRecord): boolean =>
  given === undefined || canonicalJson(given) === canonicalJson(allocationOf(pod.spec));

/** The pod with the amounts its cgroup was reckoned from. */
export const givenPod = ({ given, pod }: PodRecord): Pod => {
  if (given === undefined) return pod;
  const before = (container: Container) => ({ ...container, resources: given.containers[container.name] ?? {} });
  const { spec } = pod;
  return {
    ...pod,
    spec: {
      ...spec,
      ...(spec.resources && { resources: given.pod }),
      containers: spec.containers.map(before),
      initContainers: spec.initContainers.map(before),
    },
  };
};

/**
 * The larger of two sets of limits, one by one. A pod has these while its containers change: older kernels let no
 * child have more than its parent, neither on the way up nor on the way down.
 */
export const wider = (a: LinuxResources, b: LinuxResources): LinuxResources => {
  const memory = largest(a.memory?.limit, b.memory?.limit);
  const quota = largest(a.cpu?.quota, b.cpu?.quota);
  const period = b.cpu?.period;
  return {
    ...(memory !== undefined && { memory: { limit: memory, swap: memory } }),
    cpu: {
      shares: Math.max(a.cpu?.shares ?? 2, b.cpu?.shares ?? 2),
      ...(quota !== undefined && period !== undefined && { quota, period }),
    },
  };
};

const largest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : Math.max(a, b);

const RESIZABLE = { cpu: 'cpuMilli', memory: 'memoryBytes' } as const;

/**
 * Why a running pod cannot have what it asks for now (kubelet canResizePod); undefined when it can. Only what grows is
 * looked at: giving back is always possible.
 * @param others all other pods the node has admitted
 */
export const resizeRefusal = (
  current: Pod,
  wanted: Pod,
  { others, allocatable }: { others: Pod[]; allocatable: Pick<Allocatable, 'cpuMilli' | 'memoryBytes'> },
): Pick<PendingResize, 'reason' | 'message'> | undefined => {
  const before = effectiveRequest(current);
  const asked = effectiveRequest(wanted);
  const held = others.map(effectiveRequest);
  const growing = Object.entries(RESIZABLE).filter(([, of]) => asked[of] > before[of]);
  const beyond = growing.find(([, of]) => asked[of] > allocatable[of]);
  if (beyond) {
    const [resource, of] = beyond;
    const message = `Node didn't have enough capacity: ${resource}, requested: ${asked[of]}, capacity: ${allocatable[of]}`;
    return { reason: 'Infeasible', message };
  }
  for (const [resource, of] of growing) {
    const used = held.reduce((sum, request) => sum + request[of], 0);
    if (used + asked[of] <= allocatable[of]) continue;
    const figures = `requested: ${asked[of]}, used: ${used}, capacity: ${allocatable[of]}`;
    return { reason: 'Deferred', message: `Node didn't have enough resource: ${resource}, ${figures}` };
  }
  return undefined;
};
