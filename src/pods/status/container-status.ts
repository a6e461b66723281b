/** One entry of `status.containerStatuses`. */
import type { Container, ContainerState, ContainerStatus, ContainerTerminated } from '../../manifest/types.ts';
import { attemptPhase } from '../history.ts';
import { restarts } from '../plan/container-need.ts';
import { historyOf, type PodState, runOf } from '../state.ts';
import type { ContainerHistory, EndedAttempt, PodRecord } from '../types.ts';
import { blockedReason } from './waiting.ts';

export const containerStatus = (state: PodState, container: Container): ContainerStatus => {
  const { record } = state;
  const history = historyOf(record, container.name);
  const running = attemptPhase(history) === 'running';
  const current = currentState(state, container, history);
  const attempt = shownAttempt(history);
  return {
    name: container.name,
    state: current,
    lastState: lastState(record, container.name, history, current),
    // A pod on its way out takes no more work.
    ready: running && !record.deleting,
    started: running,
    restartCount: Math.max(0, history.launched),
    image: container.image,
    imageID: history.imageID ?? '',
    ...userOf(history),
    ...(attempt !== undefined && { containerID: containerId(record.uid, container.name, attempt) }),
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

const currentState = (state: PodState, container: Container, history: ContainerHistory): ContainerState => {
  const { record } = state;
  if (history.running && attemptPhase(history) === 'running') {
    return { running: { startedAt: history.running.startedAt } };
  }
  const { ended } = history;
  const startsAgain =
    !record.outcome &&
    !record.deleting &&
    (ended === undefined || restarts(record.pod.spec.restartPolicy, ended.exitCode));
  const blocked = startsAgain ? blockedReason(state, container, history) : undefined;
  if (blocked) return { waiting: blocked };
  if (ended) return { terminated: terminated(record, container.name, ended) };
  const { starting } = runOf(state, container.name);
  const why = starting ? undefined : (state.sandbox.failure ?? state.volumes.failure);
  return { waiting: { reason: 'ContainerCreating', ...(why && { message: `${why.reason}: ${why.message}` }) } };
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
