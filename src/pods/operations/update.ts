/** A changed manifest that the pod which runs can follow. */
import { postponedRecord, updatedRecord } from '../change.ts';
import type { Incarnation } from '../incarnation.ts';
import type { DesiredPod, PendingResize } from '../types.ts';
import { refreshVolumes } from './refresh.ts';

/** Takes the manifest over; the plan does what is left to be done. */
export const updateInPlace = (pod: Incarnation, desired: DesiredPod): void => {
  pod.record = updatedRecord(pod.record, desired);
  pod.saver.mark();
  refreshVolumes(pod);
};

/**
 * Takes other resources over, unless the node `refused` them: then the pod goes on with those it has. Asked again at every
 * tick while the node has no room; nothing is written as long as nothing new comes of it.
 */
export const resizeOrPostpone = (
  pod: Incarnation,
  desired: DesiredPod,
  refused: Pick<PendingResize, 'reason' | 'message'> | undefined,
): void => {
  if (refused === undefined) {
    pod.event('Normal', 'ResizeStarted', 'Pod resize started');
    updateInPlace(pod, desired);
    return;
  }
  const { reason, message } = refused;
  const known = pod.record.resize;
  if (known?.manifestDigest === desired.manifestDigest && known.message === message) return;
  pod.record = postponedRecord(pod.record, desired, refused);
  pod.saver.mark();
  refreshVolumes(pod);
  pod.event('Warning', `Resize${reason}`, `Pod resize ${reason}: ${message}`);
};
