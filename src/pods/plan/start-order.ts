/** Who waits for whom among the regular containers. Pure. */
import { attemptPhase } from '../history.ts';
import { historyOf, type PodState, runOf } from '../state.ts';

/**
 * Regular containers that wait for the postStart hook of one listed before them: the kubelet starts containers one after
 * the other, each with its hook, and manifests rely on it (a proxy that has to be up before the application). Nobody waits
 * for a start that is itself put off, by a back-off or a missing image. `due`: what is to be started now.
 */
export const heldByHooks = (state: PodState, due: readonly string[], now: number): ReadonlySet<string> => {
  const held = new Set<string>();
  let holding = false;
  for (const { name, lifecycle } of state.record.pod.spec.containers) {
    if (holding) held.add(name);
    if (lifecycle?.postStart) holding ||= isComingUp(state, name, due, now);
  }
  return held;
};

/** It is about to start, is being started, or runs and its hook is not through. */
const isComingUp = (state: PodState, name: string, due: readonly string[], now: number): boolean => {
  const history = historyOf(state.record, name);
  const { starting, image } = runOf(state, name);
  if (starting) return true;
  if (attemptPhase(history) === 'running') return history.postStartDue === history.launched;
  return due.includes(name) && (image.retry?.notBefore ?? now) <= now;
};
