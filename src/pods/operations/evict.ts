import type { Incarnation } from '../worker/incarnation.ts';

/**
 * The pod takes more than it may, or (`forNode`) the node needs what it has: it ends as Failed, reason Evicted, and is not
 * started again. Remembered, so that a new agent goes on with it.
 */
export const evict = (pod: Incarnation, message: string, { forNode = false }: { forNode?: boolean } = {}): void => {
  const { outcome, deleting, evicted } = pod.record;
  if (outcome || deleting || evicted) return;
  pod.record = { ...pod.record, evicted: { sinceMono: pod.now(), message, ...(forNode && { forNode }) } };
  pod.saver.markUrgent();
  pod.event('Warning', 'Evicted', message);
  pod.wake();
};
