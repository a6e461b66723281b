/** The plan of a pod that is wanted and has not ended. */
import { historyOf, type PodState, runOf, type Step } from '../state.ts';
import type { Outcome } from '../types.ts';
import type { Action, Plan } from './action.ts';
import { containerNeed } from './container-need.ts';
import { Wake } from './wake.ts';

/**
 * Images and volumes are looked after side by side, then the sandbox, then every container on its own: one that cannot
 * start never holds up another. No sandbox is built before some container can start in it, so a pod that only waits for
 * an image costs nothing.
 */
export const planLive = (state: PodState, now: number): Plan => {
  if (state.sandbox.phase === 'lost') return planDestroy(state, now);
  if (state.sandbox.phase === 'destroying') return { actions: [] };
  const names = state.record.pod.spec.containers.map(({ name }) => name);
  const needs = names.map((name) => ({ name, need: containerNeed(state, name) }));
  if (needs.every(({ need }) => need.kind === 'over')) {
    return { actions: [{ do: 'finish', outcome: outcomeOf(state) }] };
  }
  const wake = new Wake(now);
  const due = needs.flatMap(({ name, need }) => (need.kind === 'start' && wake.isDue(need.dueAt) ? [name] : []));
  if (due.length === 0) return wake.plan([]);
  const actions: Action[] = due
    .filter((name) => mayBegin(runOf(state, name).image, wake))
    .map((container) => ({ do: 'ensure-image', container }));
  if (mayBegin(state.volumes, wake)) actions.push({ do: 'prepare-volumes' });
  if (state.volumes.phase === 'done') actions.push(...sandboxAndStarts(state, due, wake));
  return wake.plan(actions);
};

/** Destroys the sandbox unless a failed attempt to is too recent. */
export const planDestroy = ({ sandbox }: PodState, now: number): Plan => {
  const wake = new Wake(now);
  return wake.plan(wake.isDue(sandbox.retry?.notBefore) ? [{ do: 'destroy-sandbox' }] : []);
};

const sandboxAndStarts = (state: PodState, due: string[], wake: Wake): Action[] => {
  const imageIs = (phase: Step['phase']) => due.filter((name) => runOf(state, name).image.phase === phase);
  const ready = imageIs('done');
  if (ready.length === 0) return [];
  if (state.sandbox.phase === 'ready') return ready.map((container) => ({ do: 'start', container }));
  if (state.sandbox.phase !== 'absent' || !wake.isDue(state.sandbox.retry?.notBefore)) return [];
  // Containers whose image is being looked up are launched with it: one durable write for the pod, not one for each.
  return [{ do: 'create-sandbox', launch: [...ready, ...imageIs('busy')] }];
};

const mayBegin = (step: Step, wake: Wake): boolean => step.phase === 'idle' && wake.isDue(step.retry?.notBefore);

/** Succeeded only if every container ended with 0; one that never got to run did not. */
const outcomeOf = ({ record }: PodState): Outcome => ({
  phase: record.pod.spec.containers.every(({ name }) => historyOf(record, name).ended?.exitCode === 0)
    ? 'Succeeded'
    : 'Failed',
});
