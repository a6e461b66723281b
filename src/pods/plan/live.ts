/** The plan of a pod that is wanted and has not ended. */
import { allContainers } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import { ephemeralNeeds } from '../changes/ephemeral.ts';
import { attemptPhase } from '../history.ts';
import { historyOf, type PodState, runOf, type Step } from '../state.ts';
import type { Action, Plan } from './action.ts';
import { containerNeed, isOfSandbox } from './container-need.ts';
import { type Ending, endingOf } from './ending.ts';
import { planInit } from './init-containers.ts';
import { restartsAll } from './restart.ts';
import { planRunning } from './running.ts';
import { heldByHooks } from './start-order.ts';
import { stopAll } from './termination-order.ts';
import { Wake } from './wake.ts';

/** A deferred resize looks for room this often, besides whenever a pod is gone. */
const RESIZE_RETRY_MS = 60_000;

/**
 * Images and volumes are looked after side by side, then the sandbox, then the init containers in their order, then
 * every regular container on its own: one that cannot start never holds up another, one with a postStart hook those
 * after it until the hook is through. No sandbox is built before some container can start in it, so a pod that only waits
 * for an image costs nothing.
 */
export const planLive = (state: PodState, now: number): Plan => {
  if (state.sandbox.phase === 'lost') return planDestroy(state, now);
  if (state.sandbox.phase === 'destroying') return { actions: [] };
  const wake = new Wake(now);
  const init = planInit(state);
  const regular = state.record.pod.spec.containers.map((container) => ({
    container,
    need: containerNeed(state, container),
  }));
  const ending = endingOf(state, { init, regular }, wake);
  if (ending) return planEnding(state, ending, now);
  if (state.record.resize?.reason === 'Deferred') wake.isDue(now + RESIZE_RETRY_MS);
  const cause = restartAllCause(state);
  if (cause) return { actions: [{ do: 'restart-all', container: cause.name }] };
  const own = init.initialized ? [...init.needs, ...regular] : init.needs;
  const needs = [...ephemeralNeeds(state), ...own];
  const due = needs.flatMap(({ container: { name }, need }) =>
    need.kind === 'start' && wake.isDue(need.dueAt) ? [name] : [],
  );
  const held = heldByHooks(state, due, now);
  return wake.plan([...planRunning(state, now, wake), ...planStarts(state, { due, held }, wake)]);
};

/** A container that ended in this sandbox in a way that asks for all to be restarted; in the next one it is history. */
const restartAllCause = (state: PodState): Container | undefined => {
  if (state.sandbox.phase !== 'ready') return undefined;
  return allContainers(state.record.pod.spec).find((container) => {
    const history = historyOf(state.record, container.name);
    return attemptPhase(history) === 'ended' && isOfSandbox(state, history) && restartsAll(container, history);
  });
};

/** Destroys the sandbox unless a failed attempt to is too recent. */
export const planDestroy = ({ sandbox }: PodState, now: number): Plan => {
  const wake = new Wake(now);
  return wake.plan(wake.isDue(sandbox.retry?.notBefore) ? [{ do: 'destroy-sandbox' }] : []);
};

/** What still runs is stopped as in any termination; the pod has ended when nothing does. */
const planEnding = (state: PodState, { outcome, grace }: Ending, now: number): Plan => {
  if (state.sandbox.phase === 'creating') return { actions: [] };
  const { actions, wake, done } = stopAll(state, grace, now);
  return wake.plan(done ? [{ do: 'finish', outcome }] : actions);
};

const planStarts = (
  state: PodState,
  { due, held }: { due: string[]; held: ReadonlySet<string> },
  wake: Wake,
): Action[] => {
  if (due.length === 0) return [];
  const actions: Action[] = due
    .filter((name) => mayBegin(runOf(state, name).image, wake))
    .map((container) => ({ do: 'ensure-image', container }));
  if (mayBegin(state.volumes, wake)) actions.push({ do: 'prepare-volumes' });
  const now = due.filter((name) => !held.has(name));
  if (state.volumes.phase === 'done') actions.push(...sandboxAndStarts(state, now, wake));
  return actions;
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
