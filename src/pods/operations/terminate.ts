/** The end of a pod, whoever wants it. */
import { terminationOf } from '../changes/change.ts';
import { shorten } from '../changes/grace.ts';
import type { Termination } from '../types.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** The pod is to end. Once begun a termination is only ever shortened. */
export const terminate = (pod: Incarnation, reason: Termination['reason'], requestedGrace?: number): void => {
  const { deleting } = pod.record;
  const mono = pod.now();
  const asked = terminationOf(pod.record, { reason, now: pod.parts.clock.now(), mono, requestedGrace });
  const next = deleting ? shorten(deleting, asked.graceSeconds, mono) : asked;
  if (next === deleting) return;
  pod.record = { ...pod.record, deleting: next };
  pod.saver.markUrgent();
};

/** A pod that is ending has at most `graceSeconds` from now; 0 kills at once, which a deletion's own grace never does. */
export const hasten = (pod: Incarnation, graceSeconds: number): void => {
  const { deleting } = pod.record;
  if (deleting) pod.record = { ...pod.record, deleting: shorten(deleting, graceSeconds, pod.now()) };
};
