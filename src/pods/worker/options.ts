/** What a worker is given by the manager. */
import type { Pod } from '../../manifest/types/pod.ts';
import type { Refusal } from '../admission/admission.ts';
import type { DesiredPod, PendingResize, PodEvent } from '../types.ts';
import type { Parts } from './incarnation.ts';

export interface WorkerOptions {
  parts: Parts;
  namespace: string;
  name: string;
  /** Why a new pod cannot be begun beside the others; undefined when it can. */
  admit: (desired: DesiredPod) => Refusal | undefined;
  /** Why a pod that runs cannot have the resources desired now; undefined when it can. */
  admitResize: (pod: Pod, desired: DesiredPod) => Pick<PendingResize, 'reason' | 'message'> | undefined;
  emit: (event: PodEvent) => void;
  /** Called in every transaction that writes a record: warnings waiting to be told become durable with it. */
  recordWarnings: () => void;
  /** Whether it is known yet what runs on this node. Until then nothing is begun; the worker is woken when it is. */
  mayAct: () => boolean;
  /** Nothing is left of an incarnation: there may be room for others. */
  onGone: () => void;
  /** Called when a tick left the worker without an incarnation. */
  onIdle: () => void;
}
