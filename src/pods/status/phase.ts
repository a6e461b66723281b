/** Phase of a live pod from its containers (kubelet `getPhase`). */
import type { PodPhase } from '../../manifest/types.ts';
import { attemptPhase } from '../history.ts';
import { restarts } from '../plan/container-need.ts';
import { historyOf } from '../state.ts';
import type { PodRecord } from '../types.ts';

/**
 * Order of tests: ended for good · a container that never ran ⇒ Pending · one runs ⇒ Running · some will be restarted
 * ⇒ Running (a crash loop is Running) · all succeeded ⇒ Succeeded · else Failed.
 */
export const podPhase = (record: PodRecord): PodPhase => {
  if (record.outcome) return record.outcome.phase;
  const { containers, restartPolicy } = record.pod.spec;
  const histories = containers.map(({ name }) => historyOf(record, name));
  if (histories.some((h) => h.ended === undefined && attemptPhase(h) !== 'running')) return 'Pending';
  if (histories.some((h) => attemptPhase(h) !== 'ended')) return 'Running';
  const codes = histories.map((h) => h.ended?.exitCode ?? 0);
  // A pod that is being deleted restarts nothing any more, so that what its containers ended with is its end.
  if (!record.deleting && codes.some((code) => restarts(restartPolicy, code))) return 'Running';
  return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
};
