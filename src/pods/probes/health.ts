/** What hooks and probes say about a container: has it started, is it ready. Pure. */
import type { Container } from '../../manifest/types.ts';
import { attemptPhase } from '../history.ts';
import { type Health, historyOf, type PodState, runOf } from '../state.ts';

/** Before any answer: startup unknown, not ready, alive (kubelet's initial results). */
export const newHealth = (attempt: number): Health => ({ attempt, startup: 'unknown', ready: false, alive: true });

/** Of the newest attempt; verdicts about an earlier one say nothing about it. */
export const healthOf = (state: PodState, container: string): Health => {
  const { launched } = historyOf(state.record, container);
  const { health } = runOf(state, container);
  return health?.attempt === launched ? health : newHealth(launched);
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
