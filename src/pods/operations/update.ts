/** A changed manifest that the pod which runs can follow. */
import { allContainers } from '../../manifest/containers.ts';
import { takeOver } from '../adoption/adoption.ts';
import { postponedRecord, updatedRecord } from '../changes/change.ts';
import { newRun } from '../state.ts';
import type { DesiredPod, PendingResize, PodRecord } from '../types.ts';
import type { Incarnation } from '../worker/incarnation.ts';
import { refreshVolumes } from './refresh.ts';

/** Takes the manifest over; the plan does what is left to be done. */
export const updateInPlace = (pod: Incarnation, desired: DesiredPod): void => {
  take(pod, updatedRecord(pod.record, desired));
};

const take = (pod: Incarnation, record: PodRecord): void => {
  pod.record = record;
  for (const { name } of allContainers(record.pod.spec)) if (!pod.state.containers.has(name)) begin(pod, name);
  pod.saver.mark();
  refreshVolumes(pod);
};

/** A container is new in the pod. The runner may know it all the same: the records of this agent may have been lost. */
const begin = (pod: Incarnation, name: string): void => {
  const { sandbox, state } = pod;
  const known = sandbox?.containers().find((container) => container.name === name);
  state.containers.set(name, { ...newRun(), residue: known?.exit !== undefined });
  if (sandbox && known) pod.change(name, (history) => takeOver(history, known, sandbox.spec.attempt, pod.moment()));
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
  take(pod, postponedRecord(pod.record, desired, refused));
  pod.event('Warning', `Resize${reason}`, `Pod resize ${reason}: ${message}`);
};
