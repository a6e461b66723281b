/** Which init containers are to run, and whether the regular ones may (kubelet `computeInitContainerActions`). Pure. */
import { isSidecar } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import { attemptPhase } from '../history.ts';
import { isStarted } from '../probes/health.ts';
import { historyOf, type PodState } from '../state.ts';
import { containerNeed, isOfSandbox, type Need } from './container-need.ts';

export interface InitPlan {
  /** Everything before the regular containers has been done in this sandbox. */
  initialized: boolean;
  /** A plain init container failed and is not tried again: the pod has failed. */
  failed?: Container;
  /** What the init containers need that may run now, in their order. */
  needs: { container: Container; need: Need }[];
}

/**
 * Everything counts per sandbox: in a new one all begins again. The furthest init container that was begun decides;
 * those before it have had their turn, so that a sidecar among them is restarted without holding up anything.
 */
export const planInit = (state: PodState): InitPlan => {
  const { spec } = state.record.pod;
  const { initContainers } = spec;
  const begun = ({ name }: Container) => isOfSandbox(state, historyOf(state.record, name));
  const initialized = spec.containers.some(begun);
  const furthest = initialized ? initContainers.length : initContainers.findLastIndex(begun);
  const at = initContainers[furthest];
  const current = furthest < 0 || (at !== undefined && hasPassed(state, at)) ? furthest + 1 : furthest;
  const needs = initContainers
    .slice(0, current + 1)
    .filter((container, index) => index === current || isSidecar(spec, container))
    .map((container) => ({ container, need: containerNeed(state, container) }));
  const failed = needs.find(({ container, need }) => need.kind === 'over' && !isSidecar(spec, container))?.container;
  return { initialized: current >= initContainers.length, needs, ...(failed && { failed }) };
};

/** Whether what comes after it may begin: a plain one has succeeded, a sidecar has started. */
const hasPassed = (state: PodState, container: Container): boolean => {
  if (isSidecar(state.record.pod.spec, container)) return isStarted(state, container);
  const history = historyOf(state.record, container.name);
  return attemptPhase(history) === 'ended' && history.ended?.exitCode === 0;
};
