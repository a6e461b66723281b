/** The end of one running container, step by step: preStop hook, stop signal, SIGKILL. Pure. */
import { findContainer } from '../../manifest/containers.ts';
import { type PodState, runOf } from '../state.ts';
import type { Action } from './action.ts';
import type { Wake } from './wake.ts';

/** A container always gets this long between its stop signal and SIGKILL, as with the kubelet; unless it has no grace. */
export const MINIMUM_STOP_MS = 2_000;

export interface Grace {
  /** Monotonic ms from which the grace counts. */
  sinceMono: number;
  /** 0: no hook, no signal, SIGKILL at once. */
  graceMs: number;
}

/** What is left for SIGTERM to SIGKILL: whole seconds spent are taken off, never below the minimum. */
export const signalGraceMs = ({ sinceMono, graceMs }: Grace, now: number): number => {
  if (graceMs === 0) return 0;
  const spentMs = Math.floor(Math.max(0, now - sinceMono) / 1000) * 1000;
  return Math.max(MINIMUM_STOP_MS, graceMs - spentMs);
};

/** The next step, if it is time for one. `mustWait`: others have to end first, as long as there is grace left. */
export const stopSteps = (
  state: PodState,
  container: string,
  grace: Grace,
  { mustWait, now, wake }: { mustWait: boolean; now: number; wake: Wake },
): Action[] => {
  const { stopping } = runOf(state, container);
  const deadline = grace.sinceMono + grace.graceMs;
  const stop: Action = { do: 'stop', container, deadline, graceMs: signalGraceMs(grace, now) };
  if (stopping?.killAt !== undefined) return deadline < stopping.deadline ? [stop] : [];
  const expired = deadline <= now;
  if (!expired && stopping === undefined && findContainer(state.record.pod.spec, container)?.lifecycle?.preStop) {
    wake.isDue(deadline);
    return [{ do: 'pre-stop', container, deadline }];
  }
  if (!expired && (stopping?.preStop === 'busy' || mustWait)) {
    wake.isDue(deadline);
    return [];
  }
  return [stop];
};
