/** The plan of a pod on its way out, and of one that has ended and is kept for its status. */
import { attemptPhase } from '../history.ts';
import { historyOf, type PodState, runOf } from '../state.ts';
import type { Termination } from '../types.ts';
import type { Action, Plan } from './action.ts';
import { planDestroy } from './live.ts';
import { Wake } from './wake.ts';

/** How long after SIGKILL was due the exit event may stay away before the sandbox is taken down regardless. */
const KILL_SLACK_MS = 5_000;

/**
 * Stop signals to all that runs, then the sandbox, then everything the pod held. Waits of any kind (image, back-off)
 * are simply not continued; a start the runner is working on is awaited, which takes milliseconds.
 */
export const planTermination = (state: PodState, deleting: Termination, now: number): Plan => {
  const { sandbox, volumes, cleaning } = state;
  if (sandbox.phase === 'creating' || sandbox.phase === 'destroying') return { actions: [] };
  if (sandbox.phase === 'lost') return planDestroy(state, now);
  if (sandbox.phase === 'ready') return planStop(state, deleting, now);
  const wake = new Wake(now);
  const busy = volumes.phase === 'busy' || cleaning.phase === 'busy';
  return wake.plan(!busy && wake.isDue(cleaning.retry?.notBefore) ? [{ do: 'clean', scope: 'deleted' }] : []);
};

const planStop = (state: PodState, deleting: Termination, now: number): Plan => {
  const names = [...state.containers.keys()];
  const running = names.filter((name) => attemptPhase(historyOf(state.record, name)) === 'running');
  const starting = names.some((name) => runOf(state, name).starting);
  const wake = new Wake(now);
  const graceMs = deleting.graceSeconds * 1000;
  const actions: Action[] = running
    .filter((name) => needsStop(state, name, now + graceMs))
    .map((container) => ({
      do: 'stop',
      container,
      graceMs,
    }));
  if (actions.length > 0 || starting) return { actions };
  const overdue = running.every((name) => wake.isDue((runOf(state, name).stopping?.deadline ?? now) + KILL_SLACK_MS));
  return overdue ? planDestroy(state, now) : wake.plan([]);
};

/** Not stopped yet, or the grace has been shortened since. */
const needsStop = (state: PodState, name: string, deadline: number): boolean => {
  const { stopping } = runOf(state, name);
  return stopping === undefined || deadline < stopping.deadline;
};

/** An ended pod gives back sandbox, address and volumes; its record and logs stay until it is deleted. */
export const planFinished = (state: PodState, now: number): Plan => {
  const { sandbox, cleaning, record, volumes } = state;
  if (record.outcome?.refused) return { actions: [] };
  if (sandbox.phase === 'ready' || sandbox.phase === 'lost') return planDestroy(state, now);
  const wake = new Wake(now);
  const idle = sandbox.phase === 'absent' && volumes.phase !== 'busy' && cleaning.phase === 'idle';
  return wake.plan(idle && wake.isDue(cleaning.retry?.notBefore) ? [{ do: 'clean', scope: 'finished' }] : []);
};
