/** The plan of a pod on its way out, and of one that has ended and is kept for its status. */
import type { PodState } from '../state.ts';
import type { Termination } from '../types.ts';
import type { Plan } from './action.ts';
import { planDestroy } from './live.ts';
import { stopAll } from './termination-order.ts';
import { Wake } from './wake.ts';

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

const planStop = (state: PodState, { sinceMono, graceSeconds }: Termination, now: number): Plan => {
  const { actions, wake, done } = stopAll(state, { sinceMono, graceMs: graceSeconds * 1000 }, now);
  return done ? planDestroy(state, now) : wake.plan(actions);
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
