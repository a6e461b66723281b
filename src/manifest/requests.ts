/** What a pod asks for and may use, summed over its containers (`component-helpers/resource/helpers.go`). */
import { parseQuantity, parseUnits } from './quantity.ts';
import type { Container, ResourceList } from './types/container.ts';
import type { PodSpec } from './types/pod.ts';

/** Milli-CPU and bytes; `storageBytes` is `ephemeral-storage`. */
export interface ResourceAmounts {
  cpuMilli: number;
  memoryBytes: number;
  storageBytes: number;
}

/** One init container's amounts; a sidecar (`restartPolicy: Always`) keeps running beside what comes after it. */
export interface InitAmounts {
  amounts: ResourceAmounts;
  sidecar: boolean;
}

/** Limits of the pod, per resource; undefined where there is none. */
export type ResourceLimits = Partial<ResourceAmounts>;

/** A pod, or as much of one as is looked at. */
export interface WithSpec {
  spec: PodSpec;
}

const NOTHING: ResourceAmounts = { cpuMilli: 0, memoryBytes: 0, storageBytes: 0 };
const AMOUNTS = ['cpuMilli', 'memoryBytes', 'storageBytes'] as const satisfies (keyof ResourceAmounts)[];
const NAMES = { cpuMilli: 'cpu', memoryBytes: 'memory', storageBytes: 'ephemeral-storage' } as const;

/** Numbers of a validated resource list; what is absent counts 0. */
export function resourceAmounts(list: ResourceList | undefined): ResourceAmounts {
  const bytes = (text: string | undefined) => (text === undefined ? 0 : Number(parseUnits(text)));
  return {
    cpuMilli: list?.cpu === undefined ? 0 : Number(parseQuantity(list.cpu)),
    memoryBytes: bytes(list?.memory),
    storageBytes: bytes(list?.[NAMES.storageBytes]),
  };
}

/** Whether an init container keeps running beside the regular ones. */
export function isSidecar({ restartPolicy }: Pick<Container, 'restartPolicy'>): boolean {
  return restartPolicy === 'Always';
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

/**
 * The pod's request as one sum: what admission compares with the node's free allocatable. Requests of the pod as a whole
 * replace the containers' sum, resource by resource; overhead comes on top in any case.
 */
export function effectiveRequest({ spec }: WithSpec): ResourceAmounts {
  const own = spec.resources?.requests;
  const sum = sumOf(spec, 'requests');
  const overhead = resourceAmounts(spec.overhead);
  return add(overlay(sum, own), overhead);
}

/**
 * What the pod may use: the pod's own limit, else the sum of the containers' where each that runs for the life of the
 * pod has one, plus overhead; undefined where there is none.
 */
export function effectiveLimit({ spec }: WithSpec): ResourceLimits {
  const own = spec.resources?.limits;
  const sum = overlay(sumOf(spec, 'limits'), own);
  const overhead = resourceAmounts(spec.overhead);
  const all = [...spec.containers, ...spec.initContainers];
  const limited = (amount: keyof ResourceAmounts) =>
    own?.[NAMES[amount]] !== undefined
      ? sum[amount] > 0
      : all.every(({ resources }) => resourceAmounts(resources.limits)[amount] > 0);
  return Object.fromEntries(
    AMOUNTS.filter(limited).map((amount) => [amount, sum[amount] + overhead[amount]]),
  ) as ResourceLimits;
}

function sumOf(spec: PodSpec, which: 'requests' | 'limits'): ResourceAmounts {
  const amounts = ({ resources }: Container) => resourceAmounts(resources[which]);
  return effectiveAmounts({
    regular: spec.containers.map(amounts),
    init: spec.initContainers.map((c) => ({ amounts: amounts(c), sidecar: isSidecar(c) })),
  });
}

/** `sum`, but for what `own` names. */
function overlay(sum: ResourceAmounts, own: ResourceList | undefined): ResourceAmounts {
  const named = resourceAmounts(own);
  return combine(sum, named, (a, b, amount) => (own?.[NAMES[amount]] === undefined ? a : b));
}

function add(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  return combine(a, b, (x, y) => x + y);
}

function largest(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  return combine(a, b, (x, y) => Math.max(x, y));
}

function combine(
  a: ResourceAmounts,
  b: ResourceAmounts,
  of: (a: number, b: number, amount: keyof ResourceAmounts) => number,
): ResourceAmounts {
  return {
    cpuMilli: of(a.cpuMilli, b.cpuMilli, 'cpuMilli'),
    memoryBytes: of(a.memoryBytes, b.memoryBytes, 'memoryBytes'),
    storageBytes: of(a.storageBytes, b.storageBytes, 'storageBytes'),
  };
}
