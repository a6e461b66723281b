/**
 * The reconciler's decision: (state, now) → actions. Pure; the state holds what was wanted, what is remembered and
 * what has been observed. INVARIANTS it keeps, whatever happens in between:
 *  - no second sandbox while one exists in any form (`create-sandbox` only when `absent`);
 *  - a Never container that may have run is not started again;
 *  - nothing is started once the pod is being deleted or has ended;
 *  - what the pod held is removed only after its sandbox is gone.
 */
import type { PodState } from '../state.ts';
import type { Plan } from './action.ts';
import { planLive } from './live.ts';
import { planFinished, planTermination } from './termination.ts';

/** What to do now, and when to ask again. `now` is monotonic ms. */
export const plan = (state: PodState, now: number): Plan => {
  const { deleting, outcome } = state.record;
  if (deleting) return planTermination(state, deleting, now);
  return outcome ? planFinished(state, now) : planLive(state, now);
};
