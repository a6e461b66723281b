/** What pods and devices use: two looks at a device's figures, a moment apart, give rates. */
import type { Fleet } from './fleet.ts';
import { call } from './rpc.ts';

interface GroupSample {
  memory: { current?: number; workingSet?: number };
  cpu: { usageUsec?: number };
}

/** What the call `metrics` answers, as far as it is used here. */
export interface Sample {
  /** The device's own clock that never jumps. */
  monotonicMs: number;
  node: {
    memory: { total?: number; available?: number };
    cpu: { busySeconds?: number; totalSeconds?: number };
  };
  pods: (GroupSample & {
    namespace: string;
    name: string;
    uid: string;
    containers: (GroupSample & { name: string })[];
  })[];
}

/** CPU in thousandths of a core, memory in bytes; what the kernel does not tell is absent. */
export interface Usage {
  cpuMilli?: number;
  memoryBytes?: number;
}

export interface PodUsage extends Usage {
  namespace: string;
  name: string;
  containers: (Usage & { name: string })[];
}

export interface NodeUsage extends Usage {
  cpuShare?: number;
  memoryShare?: number;
}

const APART_MS = 1000;

/** @throws RpcError, ConnectError when the device does not answer */
export async function sampleTwice(fleet: Fleet, device: string): Promise<[Sample, Sample]> {
  const first = await sample(fleet, device);
  await new Promise((resolve) => setTimeout(resolve, APART_MS));
  return [first, await sample(fleet, device)];
}

async function sample(fleet: Fleet, device: string): Promise<Sample> {
  let found: Sample | undefined;
  for await (const answer of call(fleet, device, 'metrics', {})) found = answer as Sample;
  return found as Sample;
}

/** Pods that were there at both looks. */
export function podUsages([before, after]: [Sample, Sample]): PodUsage[] {
  const elapsedMs = after.monotonicMs - before.monotonicMs;
  return after.pods.flatMap((pod) => {
    const earlier = before.pods.find(({ uid }) => uid === pod.uid);
    if (!earlier) return [];
    const containers = pod.containers.map((container) => {
      const same = earlier.containers.find(({ name }) => name === container.name);
      return { name: container.name, ...groupUsage(same, container, elapsedMs) };
    });
    return [{ namespace: pod.namespace, name: pod.name, ...groupUsage(earlier, pod, elapsedMs), containers }];
  });
}

function groupUsage(before: GroupSample | undefined, after: GroupSample, elapsedMs: number): Usage {
  const usedMs = (difference(before?.cpu.usageUsec, after.cpu.usageUsec) ?? Number.NaN) / 1000;
  return usage({ cpuMilli: (usedMs / elapsedMs) * 1000, memoryBytes: after.memory.workingSet ?? after.memory.current });
}

export function nodeUsage([before, after]: [Sample, Sample]): NodeUsage {
  const { memory, cpu } = after.node;
  const busy = difference(before.node.cpu.busySeconds, cpu.busySeconds) ?? Number.NaN;
  const total = difference(before.node.cpu.totalSeconds, cpu.totalSeconds) ?? Number.NaN;
  const used = difference(memory.available, memory.total) ?? Number.NaN;
  return usage({
    cpuMilli: (busy * 1e6) / (after.monotonicMs - before.monotonicMs),
    memoryBytes: used,
    cpuShare: busy / total,
    memoryShare: used / (memory.total ?? Number.NaN),
  });
}

/** Undefined when either is, or when a counter began anew: the container was restarted between the looks. */
function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined || after < before ? undefined : after - before;
}

/** Leaves out what is no number. */
function usage<T extends Record<string, number | undefined>>(figures: T): { [K in keyof T]?: number } {
  const known = Object.entries(figures).filter(([, figure]) => Number.isFinite(figure));
  return Object.fromEntries(known) as { [K in keyof T]?: number };
}
