/** Validates `spec.resources`: what the pod asks for, and may use, as a whole. */
import { compareQuantities, formatNano, parseNano } from '../quantity.ts';
import { effectiveRequest } from '../requests.ts';
import type { ResourceList, ResourceRequirements } from '../types/container.ts';
import type { PodSpec } from '../types/pod.ts';
import type { Issues } from './issues.ts';
import { isObject, readObject } from './read.ts';
import { readRequirements } from './resources.ts';

type Containers = Pick<PodSpec, 'initContainers' | 'containers'>;

const RESOURCES = ['cpu', 'memory'] as const;

/**
 * Where there are limits, requests default to what the containers ask for together, and where none asks, to the limits. A
 * pod cannot ask for less than its containers do, nor allow one of them more than it has itself.
 */
export function readPodResources(
  issues: Issues,
  path: string,
  value: unknown,
  containers: Containers,
): ResourceRequirements | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  const limited = isObject(raw.limits) && Object.keys(raw.limits).length > 0;
  const given = readRequirements(issues, path, raw, RESOURCES, limited ? aggregate(containers) : {});
  if (given.limits === undefined && given.requests === undefined) return undefined;
  checkRequests(issues, `${path}.requests`, given.requests ?? {}, containers);
  checkLimits(issues, given.limits ?? {}, containers);
  return given;
}

/** What the containers ask for together, for every resource one of them names. */
function aggregate({ initContainers, containers }: Containers): ResourceList {
  const all = [...initContainers, ...containers];
  const { cpuMilli, memoryBytes } = effectiveRequest({ spec: { initContainers, containers } as PodSpec });
  const named = (name: string) => all.some(({ resources }) => resources.requests?.[name] !== undefined);
  return {
    ...(named('cpu') && { cpu: formatNano(BigInt(cpuMilli) * 10n ** 6n) }),
    ...(named('memory') && { memory: formatNano(BigInt(memoryBytes) * 10n ** 9n, true) }),
  };
}

function checkRequests(issues: Issues, path: string, requests: ResourceList, containers: Containers): void {
  const sums = aggregate(containers);
  for (const name of RESOURCES) {
    const [pod, sum] = [requests[name], sums[name]];
    if (pod !== undefined && sum !== undefined && parseNano(pod) < parseNano(sum))
      issues.invalid(`${path}.${name}`, pod, `must be greater than or equal to what the containers ask for, ${sum}`);
  }
}

function checkLimits(issues: Issues, limits: ResourceList, { initContainers, containers }: Containers): void {
  for (const [field, list] of Object.entries({ initContainers, containers }))
    for (const [i, { resources }] of list.entries())
      for (const name of RESOURCES) {
        const [pod, own] = [limits[name], resources.limits?.[name]];
        if (pod !== undefined && own !== undefined && compareQuantities(own, pod) > 0)
          issues.invalid(
            `spec.${field}[${i}].resources.limits.${name}`,
            own,
            `must be less than or equal to the pod's limit of ${pod}`,
          );
      }
}
