/** Phase of a pod from its containers (kubelet `getPhase`). */

import { allContainers } from '../../manifest/containers.ts';
import type { PodPhase } from '../../manifest/types/status.ts';
import { attemptPhase } from '../history.ts';
import { startsAgain } from '../plan/restart.ts';
import { isUp } from '../probes/health.ts';
import { historyOf, isRunning, type PodState } from '../state.ts';

/**
 * Order of tests: ended for good · deleted before all had run ⇒ Failed · init containers have work to do, or a container never ran ⇒ Pending · one runs ⇒
 * Running · some will be restarted ⇒ Running (a crash loop is Running) · all succeeded ⇒ Succeeded · else Failed.
 * Sidecars count for nothing but the start.
 */
export const podPhase = (state: PodState, { initialized }: { initialized: boolean }): PodPhase => {
  const { record } = state;
  if (record.outcome) return record.outcome.phase;
  const { spec } = record.pod;
  const regular = spec.containers.map((container) => ({ container, history: historyOf(record, container.name) }));
  // It will not come to run any more (kubelet since 1.27).
  if (record.deleting && !isBegun(state) && !regular.every(({ history }) => history.ended)) return 'Failed';
  if (!initialized) return 'Pending';
  if (regular.some(({ container, history }) => history.ended === undefined && !isUp(state, container)))
    return 'Pending';
  if (regular.some(({ history }) => attemptPhase(history) !== 'ended')) return 'Running';
  const again = regular.some(({ container, history }) => startsAgain(spec, container, history));
  // A pod that is being deleted restarts nothing any more, so that what its containers ended with is its end.
  if (!record.deleting && again) return 'Running';
  // Sidecars and what was added are being stopped: it is over when they are (kubelet: no terminal phase while anything
  // may run).
  if (allContainers(spec).some(({ name }) => isRunning(state, name))) return 'Running';
  return regular.every(({ history }) => history.ended?.exitCode === 0) ? 'Succeeded' : 'Failed';
};

/** Something of it runs, or may be starting. */
const isBegun = ({ record }: PodState): boolean =>
  Object.values(record.containers).some((history) => ['launched', 'running'].includes(attemptPhase(history)));
