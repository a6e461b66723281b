/** Removal of what a pod held. */
import { nextRetry } from '../backoff.ts';
import { failureMessage } from '../failures.ts';
import { attemptPhase, nextAttempt } from '../history.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/**
 * Everything but record and logs when the pod has finished; everything when it was deleted. The record goes last, so
 * that a removal cut off by a power failure is taken up again.
 */
export const clean = (pod: Incarnation, scope: 'finished' | 'deleted'): void => {
  const { state, parts } = pod;
  const { uid, namespace, name } = pod.record;
  state.cleaning = { ...state.cleaning, phase: 'busy' };
  pod.operate(async () => {
    try {
      await parts.volumes.remove(uid);
      await parts.files.removeData(uid);
      if (scope === 'deleted') await parts.files.removeLogs(pod.record);
      parts.atomically(() => {
        parts.leases.release(uid);
        if (scope === 'deleted') parts.records.delete(uid);
      });
      state.cleaning = { phase: 'done' };
      pod.gone = scope === 'deleted';
      if (pod.gone) pod.saver.discard();
    } catch (error) {
      state.cleaning = { phase: 'idle', retry: nextRetry(state.cleaning.retry, pod.now()) };
      pod.event('Warning', 'FailedCleanup', failureMessage(error, { namespace, pod: name }));
    }
  });
};

/** Overlay directories of attempts that have ended. The next attempt's may be in the making: they are left alone. */
export const dropDeadAttempts = async (pod: Incarnation): Promise<void> => {
  const { record, parts } = pod;
  for (const [name, history] of Object.entries(record.containers)) {
    if (attemptPhase(history) !== 'ended') continue;
    await parts.files.dropOldAttempts(record.uid, name, nextAttempt(history));
  }
};
