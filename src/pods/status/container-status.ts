/** One entry of `status.containerStatuses` or `status.initContainerStatuses`. */
import { isInit, isSidecar } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { ContainerState, ContainerStatus, ContainerTerminated } from '../../manifest/types/status.ts';
import { isOfSandbox } from '../plan/container-need.ts';
import { startsAgain } from '../plan/restart.ts';
import { isReady, isStarted, isUp } from '../probes/health.ts';
import { historyOf, type PodState, runOf } from '../state.ts';
import type { ContainerHistory, EndedAttempt, PodRecord } from '../types.ts';
import { blockedReason } from './waiting.ts';

export const containerStatus = (
  state: PodState,
  container: Container,
  /** Its turn has not come: init containers before it have work to do. */
  { mustWait = false }: { mustWait?: boolean } = {},
): ContainerStatus => {
  const { record } = state;
  const history = historyOf(record, container.name);
  const current = currentState(state, container, history, mustWait);
  const attempt = shownAttempt(history);
  return {
    name: container.name,
    state: current,
    lastState: lastState(record, container.name, history, current),
    ready: readyOf(state, container, current),
    started: isStarted(state, container),
    restartCount: Math.max(0, history.launched),
    image: container.image,
    imageID: history.imageID ?? '',
    ...userOf(history),
    ...(attempt !== undefined && { containerID: containerId(record.uid, container.name, attempt) }),
    ...resourcesOf(container, history),
    ...mountsOf(container),
  };
};

/** `edgepod://<uid>/<name>/<attempt>`: unique for ever, and enough to find the log file. */
export const containerId = (uid: string, name: string, attempt: number): string =>
  `edgepod://${uid}/${name}/${attempt}`;

const userOf = ({ running }: ContainerHistory): Pick<ContainerStatus, 'user'> => {
  if (running?.user === undefined) return {};
  const { uid, gid, groups } = running.user;
  return { user: { linux: { uid, gid, supplementalGroups: groups } } };
};

const shownAttempt = ({ running, ended }: ContainerHistory): number | undefined => running?.attempt ?? ended?.attempt;

/** A plain init container is ready when it has succeeded. A pod on its way out stays ready as long as its probes say so. */
const readyOf = (state: PodState, container: Container, current: ContainerState): boolean => {
  const { spec } = state.record.pod;
  if (isInit(spec, container) && !isSidecar(spec, container)) return current.terminated?.exitCode === 0;
  return isReady(state, container);
};

/** As the kubelet tells them: whether a mount is read-only all the way is said of read-only ones. */
const mountsOf = ({ volumeMounts }: Container): Pick<ContainerStatus, 'volumeMounts'> => {
  if (volumeMounts.length === 0) return {};
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
      name,
      mountPath,
      ...(readOnly && { readOnly }),
      ...(readOnly && recursiveReadOnly !== 'IfPossible' && { recursiveReadOnly }),
    })),
  };
};

/** What the running attempt was given; what the pod was admitted with is `allocatedResources`. */
const resourcesOf = (
  container: Container,
  { resources }: ContainerHistory,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> => {
  const { requests } = container.resources;
  const has = (list: object | undefined) => list !== undefined && Object.keys(list).length > 0;
  return {
    ...(has(requests) && { allocatedResources: requests }),
    ...(resources && (has(resources.limits) || has(resources.requests)) && { resources }),
  };
};

const currentState = (
  state: PodState,
  container: Container,
  history: ContainerHistory,
  mustWait: boolean,
): ContainerState => {
  const { record } = state;
  const { spec } = record.pod;
  if (history.running && isUp(state, container)) return { running: { startedAt: history.running.startedAt } };
  const { ended } = history;
  const over = record.outcome ?? record.deleting;
  const again = ended === undefined || (isCurrent(state, container, history) && startsAgain(spec, container, history));
  const blocked = !over && again && !mustWait ? blockedReason(state, container, history) : undefined;
  if (blocked) return { waiting: blocked };
  if (ended) return { terminated: terminated(record, container.name, ended) };
  return { waiting: notYet(state, container) };
};

/** An init container that did its work in a sandbox that is gone is shown as it ended, until it runs again. */
const isCurrent = (state: PodState, container: Container, history: ContainerHistory): boolean =>
  !isInit(state.record.pod.spec, container) || isOfSandbox(state, history);

const notYet = (state: PodState, container: Container): { reason: string; message?: string } => {
  const { spec } = state.record.pod;
  const { starting } = runOf(state, container.name);
  const why = starting ? undefined : (state.sandbox.failure ?? state.volumes.failure);
  const reason = spec.initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
  return { reason, ...(why && { message: `${why.reason}: ${why.message}` }) };
};

/** While the newest end is shown as the state, the one before it is the last; otherwise the newest is. */
const lastState = (
  record: PodRecord,
  name: string,
  history: ContainerHistory,
  current: ContainerState,
): ContainerState => {
  const last = current.terminated ? history.previous : history.ended;
  return last ? { terminated: terminated(record, name, last) } : {};
};

const terminated = (record: PodRecord, name: string, ended: EndedAttempt): ContainerTerminated => ({
  exitCode: ended.exitCode,
  ...(ended.signal !== 0 && { signal: ended.signal }),
  reason: ended.reason,
  ...(ended.message !== undefined && { message: ended.message }),
  ...(ended.startedAt !== undefined && { startedAt: ended.startedAt }),
  ...(ended.finishedAt !== undefined && { finishedAt: ended.finishedAt }),
  containerID: containerId(record.uid, name, ended.attempt),
});
