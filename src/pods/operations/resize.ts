/** Changing the limits of what runs. */
import { allContainers, findContainer } from '../../manifest/containers.ts';
import { canonicalJson } from '../../manifest/digest.ts';
import type { Container } from '../../manifest/types/container.ts';
import { nextRetry } from '../backoff.ts';
import { allocationOf, givenPod, resizeOf, wider } from '../changes/resize.ts';
import { failureMessage } from '../failures.ts';
import { attemptPhase, resized } from '../history.ts';
import type { LinuxResources, Sandbox } from '../ports.ts';
import { historyOf } from '../state.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** Gives the containers named, and the pod as a whole, the limits of the spec. What could not be done is tried again. */
export const resizePod = (pod: Incarnation, names: string[]): void => {
  const { sandbox, state } = pod;
  if (sandbox === undefined) return;
  state.resize = { ...state.resize, phase: 'busy' };
  pod.operate(async () => {
    try {
      await change(pod, sandbox, names);
      state.resize = { phase: 'idle' };
      pod.saver.markUrgent();
      pod.event('Normal', 'ResizeCompleted', 'Pod resize completed');
    } catch (error) {
      const message = failureMessage(error, { namespace: pod.record.namespace, pod: pod.record.name });
      const retry = nextRetry(state.resize.retry, pod.now());
      state.resize = { phase: 'idle', failure: { reason: 'Error', message }, retry };
      pod.event('Warning', 'ResizeError', message);
    }
  });
};

/** First the pod is given room for both sizes, then the containers change, then the pod has what it is to have. */
const change = async (pod: Incarnation, sandbox: Sandbox, names: string[]): Promise<void> => {
  const { parts, record } = pod;
  const limits = parts.podResources(record.pod);
  const inheriting = inheritors(pod).filter(({ name }) => !names.includes(name));
  const named = names.flatMap((name) => findContainer(record.pod.spec, name) ?? []);
  const containers = [...named, ...inheriting].map((container) => ({
    container,
    resources: parts.containerResources(container, record.pod),
  }));
  for (const { container, resources } of containers) refuseBelowUsage(pod, container.name, resources);
  refuseBelowUsage(pod, undefined, limits);
  await sandbox.update(wider(parts.podResources(givenPod(record)), limits));
  for (const { container, resources } of containers) {
    await sandbox.update(resources, container.name);
    pod.change(container.name, (history) => resized(history, container.resources));
  }
  if (!isSettled(pod)) return;
  await sandbox.update(limits);
  pod.record = { ...pod.record, given: allocationOf(record.pod.spec) };
};

/** Containers that run with limits they have from the pod, when those change. */
const inheritors = ({ record }: Incarnation): Container[] => {
  const { spec } = record.pod;
  if (canonicalJson(record.given?.pod ?? {}) === canonicalJson(spec.resources ?? {})) return [];
  return allContainers(spec).filter(({ name }) => attemptPhase(historyOf(record, name)) === 'running');
};

/** Nothing that runs has other limits than the spec's. */
const isSettled = ({ record }: Incarnation): boolean =>
  allContainers(record.pod.spec).every((container) => {
    const history = historyOf(record, container.name);
    return attemptPhase(history) !== 'running' || resizeOf(container, history) === 'none';
  });

/** A limit below what is in use would have the kernel kill for it. */
const refuseBelowUsage = (
  { parts, record }: Incarnation,
  name: string | undefined,
  { memory }: LinuxResources,
): void => {
  if (memory?.limit === undefined) return;
  const cgroup = `${parts.cgroupRoot}/pod${record.uid}${name === undefined ? '' : `/${name}`}`;
  const used = parts.workingSet(cgroup) ?? 0;
  if (used <= memory.limit) return;
  const what = name === undefined ? 'the pod' : `container ${name}`;
  throw new Error(
    `attempting to set the memory limit of ${what} (${memory.limit} bytes) below its current usage (${used} bytes)`,
  );
};
