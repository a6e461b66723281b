/** The order in which a whole pod is stopped (kubelet `kuberuntime_termination_order.go`). Pure. */
import { allContainers, isSidecar } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import { isRunning, type PodState, runOf } from '../state.ts';
import type { Action } from './action.ts';
import { type Grace, stopSteps } from './stop-steps.ts';
import { Wake } from './wake.ts';

/** How long after SIGKILL was due the exit event may stay away before the sandbox is taken down regardless. */
const KILL_SLACK_MS = 5_000;

export interface StopPlan {
  actions: Action[];
  wake: Wake;
  /** Nothing runs any more, or what does cannot be waited for. */
  done: boolean;
}

/**
 * All preStop hooks at once; regular containers get their signal right after their own; a sidecar is kept until the
 * regular containers and the sidecars declared after it have ended, or the grace is over.
 */
export const stopAll = (state: PodState, grace: Grace, now: number): StopPlan => {
  const wake = new Wake(now);
  const { spec } = state.record.pod;
  const running = allContainers(spec).filter(({ name }) => isRunning(state, name));
  const actions = running.flatMap((container) =>
    stopSteps(state, container.name, grace, { mustWait: isNeeded(state, container, running), now, wake }),
  );
  const starting = [...state.containers.values()].some((run) => run.starting);
  const idle = actions.length === 0 && !starting;
  const done = idle && running.every(({ name }) => isOverdue(state, name, wake));
  return { actions, wake, done };
};

/** A sidecar serves whatever was started after it. */
const isNeeded = ({ record }: PodState, container: Container, running: Container[]): boolean => {
  const { spec } = record.pod;
  if (!isSidecar(spec, container)) return false;
  return running.indexOf(container) < running.length - 1;
};

const isOverdue = (state: PodState, container: string, wake: Wake): boolean => {
  const { killAt } = runOf(state, container).stopping ?? {};
  return killAt !== undefined && wake.isDue(killAt + KILL_SLACK_MS);
};
