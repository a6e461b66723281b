/** Whether a pod that is wanted has come to its end, and how it ends. Pure. */
import type { Container } from '../../manifest/types/container.ts';
import { historyOf, type PodState } from '../state.ts';
import type { Outcome } from '../types.ts';
import type { Need } from './container-need.ts';
import type { InitPlan } from './init-containers.ts';
import type { Grace } from './stop-steps.ts';
import type { Wake } from './wake.ts';

export interface Ending {
  outcome: Outcome;
  /** For what still runs: sidecars, or everything when the deadline has passed. */
  grace: Grace;
}

export const endingOf = (
  state: PodState,
  { init, regular }: { init: InitPlan; regular: { container: Container; need: Need }[] },
  wake: Wake,
): Ending | undefined => {
  const { spec } = state.record.pod;
  const graceMs = Math.max(1, spec.terminationGracePeriodSeconds) * 1000;
  const { evicted } = state.record;
  if (evicted) {
    const { sinceMono, message } = evicted;
    return {
      outcome: { phase: 'Failed', reason: 'Evicted', message },
      grace: { sinceMono, graceMs: EVICTION_GRACE_MS },
    };
  }
  const deadline = deadlineOf(state);
  if (deadline !== undefined && wake.isDue(deadline)) {
    return { outcome: DEADLINE_EXCEEDED, grace: { sinceMono: deadline, graceMs } };
  }
  if (init.failed) {
    return { outcome: { phase: 'Failed' }, grace: { sinceMono: endedAt(state, [init.failed]), graceMs } };
  }
  if (!regular.every(({ need }) => need.kind === 'over')) return undefined;
  return { outcome: outcomeOf(state), grace: { sinceMono: endedAt(state, spec.containers), graceMs } };
};

/** Of a hard eviction: what takes too much is not asked for long. */
const EVICTION_GRACE_MS = 1000;

const DEADLINE_EXCEEDED: Outcome = {
  phase: 'Failed',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

/** When activeDeadlineSeconds are over, monotonic ms. */
export const deadlineOf = ({ record }: PodState): number | undefined => {
  const { activeDeadlineSeconds } = record.pod.spec;
  if (activeDeadlineSeconds === undefined) return undefined;
  return record.active.sinceMono + activeDeadlineSeconds * 1000 - record.active.beforeMs;
};

const endedAt = ({ record }: PodState, containers: Container[]): number =>
  Math.max(...containers.map(({ name }) => historyOf(record, name).ended?.finishedMono ?? 0));

/** Succeeded only if every regular container ended with 0; one that never got to run did not. */
const outcomeOf = ({ record }: PodState): Outcome => ({
  phase: record.pod.spec.containers.every(({ name }) => historyOf(record, name).ended?.exitCode === 0)
    ? 'Succeeded'
    : 'Failed',
});
