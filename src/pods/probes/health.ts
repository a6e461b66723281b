/** What hooks and probes say about a container: has it started, is it ready. Pure. */
import type { Container } from '../../manifest/types/container.ts';
import { attemptPhase } from '../history.ts';
import { type Health, historyOf, isRunning, type PodState, runOf } from '../state.ts';
import { unreadyContainers } from '../status/conditions.ts';

/** Before any answer: startup unknown, not ready, alive (kubelet's initial results). */
export const newHealth = (attempt: number): Health => ({ attempt, startup: 'unknown', ready: false, alive: true });

/** Of the newest attempt; verdicts about an earlier one say nothing about it. */
export const healthOf = (state: PodState, container: string): Health => {
  const { launched } = historyOf(state.record, container);
  const { health } = runOf(state, container);
  return health?.attempt === launched ? health : newHealth(launched);
};

/**
 * What an agent that comes back may take for granted: a container that was ready has started and is ready, until its
 * probes say otherwise (kubelet since 1.34). So an upgrade makes no pod unready, and none is asked for its startup again.
 */
export const recallHealth = (state: PodState): void => {
  const { record } = state;
  const unready = unreadyContainers(record.conditions);
  if (unready === undefined) return;
  for (const [name, run] of state.containers) {
    const { launched: attempt } = historyOf(record, name);
    if (isRunning(state, name) && !unready.includes(name))
      run.health = { attempt, startup: 'ok', ready: true, alive: true };
  }
};

/** Its process runs and the postStart hook, if it has one, came through. */
export const isUp = (state: PodState, { name }: Container): boolean => {
  const history = historyOf(state.record, name);
  return attemptPhase(history) === 'running' && history.postStartDue !== history.launched;
};

/** Up, and its startup probe, if it has one, has succeeded. */
export const isStarted = (state: PodState, container: Container): boolean =>
  isUp(state, container) && (!container.startupProbe || healthOf(state, container.name).startup === 'ok');

export const isReady = (state: PodState, container: Container): boolean =>
  isStarted(state, container) && (!container.readinessProbe || healthOf(state, container.name).ready);
