/** What is reported of a pod. */
import type { ResourceList, ResourceRequirements } from './container.ts';
import type { FieldError } from './field-error.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

export interface PodStatus {
  observedGeneration?: number;
  phase: PodPhase;
  conditions: PodCondition[];
  message?: string;
  reason?: string;
  hostIP?: string;
  hostIPs?: { ip: string }[];
  podIP?: string;
  podIPs?: { ip: string }[];
  startTime?: string;
  /** Absent when the pod has no init containers. */
  initContainerStatuses?: ContainerStatus[];
  containerStatuses: ContainerStatus[];
  /** Absent when there are none. */
  ephemeralContainerStatuses?: ContainerStatus[];
  qosClass?: QosClass;
  /** Of a pod with amounts of its own: requests the node has set aside, and what its cgroup was given. */
  allocatedResources?: ResourceList;
  resources?: ResourceRequirements;
  /** edgepod's addition: why the newest manifest received was not accepted. */
  errors?: FieldError[];
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

export interface PodCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  /** Generation of the manifest it was found with. */
  observedGeneration?: number;
}

export interface ContainerStatus {
  name: string;
  state: ContainerState;
  lastState: ContainerState;
  ready: boolean;
  started?: boolean;
  restartCount: number;
  image: string;
  imageID: string;
  containerID?: string;
  /** Who its first process was at the start, while it runs. */
  user?: { linux: { uid: number; gid: number; supplementalGroups: number[] } };
  /** Requests the node has set aside for it. */
  allocatedResources?: ResourceList;
  /** What its cgroup was given; differs from the spec's while a resize is on its way. */
  resources?: ResourceRequirements;
  /** Absent when it mounts nothing. */
  volumeMounts?: VolumeMountStatus[];
}

/** A mount as it is; of `IfPossible` whether it was is not known here. */
export interface VolumeMountStatus {
  name: string;
  mountPath: string;
  readOnly?: true;
  recursiveReadOnly?: 'Disabled' | 'Enabled';
}

export interface ContainerState {
  waiting?: { reason: string; message?: string };
  running?: { startedAt: string };
  terminated?: ContainerTerminated;
}

export interface ContainerTerminated {
  exitCode: number;
  signal?: number;
  reason: string;
  message?: string;
  startedAt?: string;
  finishedAt?: string;
  containerID?: string;
}
