/** The reconciler's own nouns: what is wanted, what is remembered about each pod, and what is reported. */

import type { ResourceRequirements } from '../manifest/types/container.ts';
import type { FieldError } from '../manifest/types/field-error.ts';
import type { Pod, PodSpec } from '../manifest/types/pod.ts';
import type { PodCondition, PodStatus } from '../manifest/types/status.ts';
import type { ProcessUser } from './ports.ts';

/** One stored, admitted manifest. A row stays, with `deletionTimestamp`, until `clearDesired` was called for it. */
export interface DesiredPod {
  namespace: string;
  name: string;
  /** Validated, defaults filled in. */
  pod: Pod;
  /** Digest of the defaulted spec: a different one replaces the pod. */
  specDigest: string;
  /** Digest of the whole manifest: a different one with an equal `specDigest` is an update in place. */
  manifestDigest: string;
  generation?: number | undefined;
  /** Present on a tombstone. RFC 3339. */
  deletionTimestamp?: string | undefined;
  /** Topic it came from, for people. */
  source?: string | undefined;
}

/** Which sandbox an attempt belongs to, and of which image it is. Absent in records of older agents. */
export interface Origin {
  sandbox: number;
  /** The reference of the spec it was started by. */
  image: string;
}

/** A reason as status and events show it. */
export interface Failure {
  reason: string;
  message: string;
}

/** Why a running attempt is being ended while its pod goes on. */
export interface Condemned {
  attempt: number;
  /** Monotonic ms; `graceMs` counts from here. */
  sinceMono: number;
  graceMs: number;
  /** It is started again whatever the restart policy says of its exit code. */
  restart: boolean;
  /** Shown as the waiting reason afterwards, e.g. PostStartHookError. */
  failure?: Failure;
}

/** How an attempt ended, and when on both clocks. */
export interface EndedAttempt {
  attempt: number;
  exitCode: number;
  /** 0 when it exited by itself. */
  signal: number;
  /** Kubernetes terminated reason: Completed, Error, OOMKilled, StartError, ContainerStatusUnknown. */
  reason: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  /** Monotonic ms of the boot named by the record's `bootId`; back-off counts from here. */
  finishedMono: number;
  /** A reboot took it, not a fault of its own: its restart is immediate and does not lengthen the back-off. */
  rebooted?: boolean;
  origin?: Origin;
  /** The attempt was condemned: started again regardless of policy, and what to show until then. */
  restart?: boolean;
  failure?: Failure;
}

/** Restart back-off of one container. Times are monotonic ms of the record's boot. */
export interface BackoffEntry {
  /** What the next restart has to wait, counted from the end of the attempt. */
  delayMs: number;
  updatedMono: number;
}

/**
 * What is remembered of one container of one pod. `launched` is made durable before the attempt is started, so that
 * after a power cut an attempt that may have run is known to have been asked for (a Never pod must not run twice).
 */
export interface ContainerHistory {
  /** Newest attempt that may have been started; -1 when none. */
  launched: number;
  /** The attempt the runner confirmed to run. */
  running?: { attempt: number; startedAt: string; user?: ProcessUser; notes?: string[] };
  /** The newest attempt that ended, and the one before it. */
  ended?: EndedAttempt;
  previous?: EndedAttempt;
  backoff?: BackoffEntry;
  /** Of the newest attempt that was started. */
  imageID?: string;
  stopSignal?: string;
  origin?: Origin;
  /** What its cgroup was given; differs from the spec's while a resize is to be done. */
  resources?: ResourceRequirements;
  /** Attempt whose postStart hook has not come through yet. */
  postStartDue?: number;
  condemned?: Condemned;
}

export interface Termination {
  /** Seconds between the stop signal and SIGKILL. Later requests can only shorten it. */
  graceSeconds: number;
  /** RFC 3339, shown in metadata: when its grace is over. */
  deletionTimestamp: string;
  reason: 'Deleted' | 'Replaced' | 'Drained';
  /** Monotonic ms of the record's boot from which the grace counts. */
  sinceMono: number;
}

/** What a pod and its containers may use: what a resize changes. */
export interface Allocation {
  pod: ResourceRequirements;
  containers: Record<string, ResourceRequirements>;
}

/** A resize the node has no room for; the pod goes on with what it has. */
export interface PendingResize {
  /** Deferred: not now · Infeasible: never on this node. */
  reason: 'Deferred' | 'Infeasible';
  message: string;
  /** What was asked for. */
  spec: PodSpec;
  manifestDigest: string;
}

/** How a pod ended for good. */
export interface Outcome {
  phase: 'Succeeded' | 'Failed';
  reason?: string;
  message?: string;
  /** Never admitted: nothing of it was ever started. */
  refused?: boolean;
}

/** The durable record of one incarnation of a pod, by uid. Plain JSON. */
export interface PodRecord {
  uid: string;
  namespace: string;
  name: string;
  specDigest: string;
  manifestDigest: string;
  generation?: number;
  /** What this incarnation runs, with the resources it was admitted with; metadata follows later label-only updates. */
  pod: Pod;
  resize?: PendingResize;
  /** What the pod's cgroup was reckoned from; differs from the spec's while a resize is to be done. */
  given?: Allocation;
  /** When this agent accepted it: `metadata.creationTimestamp` and `status.startTime`. */
  createdAt: string;
  /** The boot the monotonic times in here belong to. */
  bootId: string;
  /** How long the pod has been active, for activeDeadlineSeconds: `beforeMs` in earlier boots, and since `sinceMono`. */
  active: { beforeMs: number; sinceMono: number };
  /** Monotonic ms at which the record was last written. */
  savedMono?: number;
  /** Sandboxes asked for so far; the next one's attempt number. */
  sandboxes: number;
  ip?: string;
  containers: Record<string, ContainerHistory>;
  outcome?: Outcome;
  /** It is to end for taking more than it may, or `forNode`, which is short of something: since when (monotonic ms). */
  evicted?: { sinceMono: number; message: string; forNode?: boolean };
  deleting?: Termination;
  /** As last reported, to keep each `lastTransitionTime`. */
  conditions: PodCondition[];
}

/** What goes to the status topic. A rejected manifest that never had a good version has no spec. */
export type PublishedPod = Omit<Pod, 'spec' | 'status'> & { spec?: PodSpec; status: PodStatus };

export interface PodEvent {
  type: 'Normal' | 'Warning';
  /** As the kubelet's: Started, Killing, BackOff, FailedMount, … */
  reason: string;
  message: string;
  pod: { namespace: string; name: string; uid?: string };
  container?: string;
  /** How often it happened since it was last reported; 1 for the first. */
  count: number;
}

/** Why the newest manifest of a name was refused; kept beside the pod that keeps running. */
export interface Rejection {
  errors: FieldError[];
}
