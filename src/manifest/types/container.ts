/** A container as its pod declares it, every default filled in. */
import type { EnvFromSource, EnvVar } from './env.ts';
import type { Lifecycle, Probe } from './probes.ts';
import type { SecurityContext } from './security.ts';

export interface Container {
  name: string;
  image: string;
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  command?: string[];
  args?: string[];
  workingDir?: string;
  env: EnvVar[];
  envFrom: EnvFromSource[];
  ports: ContainerPort[];
  resources: ResourceRequirements;
  /** Of single resources, what a change of them does; absent ones are `NotRequired`. */
  resizePolicy: { resourceName: string; restartPolicy: 'NotRequired' | 'RestartContainer' }[];
  /** Only `Always`, on an init container, makes a sidecar; on others it overrides the pod's. */
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  restartPolicyRules: RestartRule[];
  volumeMounts: VolumeMount[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  lifecycle?: Lifecycle;
  /** Standard input stays open, empty, for as long as the container runs. */
  stdin?: true;
  terminationMessagePath: string;
  terminationMessagePolicy: 'File' | 'FallbackToLogsOnError';
  securityContext?: SecurityContext;
}

export interface EphemeralContainer extends Container {
  /** Whose PID namespace it joins; without, it has one of its own, or the pod's. */
  targetContainerName?: string;
}

/** Checked in order when the container exits; the first that matches decides. */
export interface RestartRule {
  action: 'Restart' | 'RestartAllContainers';
  exitCodes: { operator: 'In' | 'NotIn'; values: number[] };
}

export interface ContainerPort {
  name?: string;
  containerPort: number;
  hostPort?: number;
  hostIP?: string;
  protocol: 'TCP' | 'UDP' | 'SCTP';
}

/** Quantities as written (`500m`, `64Mi`); `manifest/quantity.ts` parses them. */
export type ResourceList = Record<string, string>;

export interface ResourceRequirements {
  limits?: ResourceList;
  requests?: ResourceList;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly: boolean;
  recursiveReadOnly: 'Disabled' | 'IfPossible' | 'Enabled';
  mountPropagation: 'None' | 'HostToContainer' | 'Bidirectional';
  subPath?: string;
  /** `$(VAR)` of the container's environment; excludes `subPath`. */
  subPathExpr?: string;
}
