/** What a pod asks for and may use, summed over its containers (`component-helpers/resource/helpers.go`). */
import { parseQuantity, parseUnits } from './quantity.ts';
import type { Container, Pod, ResourceList } from './types.ts';

/** Milli-CPU and bytes. */
export interface ResourceAmounts {
  cpuMilli: number;
  memoryBytes: number;
}

/** One init container's amounts; a sidecar (`restartPolicy: Always`) keeps running beside what comes after it. */
export interface InitAmounts {
  amounts: ResourceAmounts;
  sidecar: boolean;
}

const NOTHING: ResourceAmounts = { cpuMilli: 0, memoryBytes: 0 };

/** Numbers of a validated resource list; what is absent counts 0. */
export function resourceAmounts(list: ResourceList | undefined): ResourceAmounts {
  return {
    cpuMilli: list?.cpu === undefined ? 0 : Number(parseQuantity(list.cpu)),
    memoryBytes: list?.memory === undefined ? 0 : Number(parseUnits(list.memory)),
  };
}

/**
 * The most that is needed at any one time: regular containers run together with every sidecar; each plain init
 * container runs alone with the sidecars declared before it.
 */
export function effectiveAmounts({
  regular,
  init = [],
  overhead = NOTHING,
}: {
  regular: readonly ResourceAmounts[];
  init?: readonly InitAmounts[];
  overhead?: ResourceAmounts;
}): ResourceAmounts {
  let sidecars = NOTHING;
  let peak = NOTHING;
  for (const { amounts, sidecar } of init) {
    if (sidecar) sidecars = add(sidecars, amounts);
    peak = largest(peak, sidecar ? sidecars : add(sidecars, amounts));
  }
  return add(largest(peak, regular.reduce(add, sidecars)), overhead);
}

/** The pod's request as one sum: what admission compares with the node's free allocatable. */
export function effectiveRequest(pod: Pod): ResourceAmounts {
  return effectiveAmounts({ regular: pod.spec.containers.map((c) => resourceAmounts(c.resources.requests)) });
}

/** The sum of the limits, per resource; undefined where any container has none (so the pod has none either). */
export function effectiveLimit(pod: Pod): { cpuMilli?: number; memoryBytes?: number } {
  const { containers } = pod.spec;
  const sum = effectiveAmounts({ regular: containers.map((c) => resourceAmounts(c.resources.limits)) });
  return {
    ...(containers.every((c) => isLimited(c, 'cpuMilli')) && { cpuMilli: sum.cpuMilli }),
    ...(containers.every((c) => isLimited(c, 'memoryBytes')) && { memoryBytes: sum.memoryBytes }),
  };
}

function isLimited(container: Container, resource: keyof ResourceAmounts): boolean {
  return resourceAmounts(container.resources.limits)[resource] > 0;
}

function add(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  return { cpuMilli: a.cpuMilli + b.cpuMilli, memoryBytes: a.memoryBytes + b.memoryBytes };
}

function largest(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  return { cpuMilli: Math.max(a.cpuMilli, b.cpuMilli), memoryBytes: Math.max(a.memoryBytes, b.memoryBytes) };
}
