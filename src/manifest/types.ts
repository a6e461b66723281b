/**
 * The Kubernetes objects edgepod understands, as narrow types of our own: the names are exactly the
 * Kubernetes API's (v1, 1.36), the fields are the ones that are implemented. A unit test checks that a
 * Kubernetes Pod is assignable where we read one.
 */

/** One reason a manifest is refused, or a field not honoured. `path` is a JSON path like `spec.containers[0].image`. */
export interface FieldError {
  path: string;
  reason: string;
}

export interface ObjectMeta {
  name: string;
  namespace: string;
  uid?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
}

export interface Pod {
  apiVersion: 'v1';
  kind: 'Pod';
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

/** A validated spec with every default filled in. */
export interface PodSpec {
  /** In order; one with `restartPolicy: Always` is a sidecar. */
  initContainers: Container[];
  containers: Container[];
  /** Added while the pod runs, to look into it; each is started once and never again. Absent when there are none. */
  ephemeralContainers?: EphemeralContainer[];
  restartPolicy: 'Always' | 'OnFailure' | 'Never';
  terminationGracePeriodSeconds: number;
  activeDeadlineSeconds?: number;
  volumes: Volume[];
  hostNetwork: boolean;
  hostPID: boolean;
  hostIPC: boolean;
  /** Kubernetes' default is true: the pod's users are the node's. */
  hostUsers: boolean;
  shareProcessNamespace: boolean;
  hostname?: string;
  subdomain?: string;
  setHostnameAsFQDN: boolean;
  /** The whole host name, whatever `hostname` and `subdomain` say. */
  hostnameOverride?: string;
  hostAliases: HostAlias[];
  dnsPolicy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  dnsConfig?: DnsConfig;
  /** Decides who is evicted first; higher stays longer. */
  priority: number;
  readinessGates: { conditionType: string }[];
  /** Limits of the pod as a whole; they replace the sums of the containers, resource by resource. */
  resources?: ResourceRequirements;
  /** Added to the pod's effective request. */
  overhead?: ResourceList;
  securityContext?: PodSecurityContext;
}

export interface HostAlias {
  ip: string;
  hostnames: string[];
}

export interface DnsConfig {
  nameservers: string[];
  searches: string[];
  options: { name: string; value?: string }[];
}

/** What a pod's containers have in common, and what only the pod can say. */
export interface PodSecurityContext
  extends Pick<SecurityContext, 'runAsUser' | 'runAsGroup' | 'runAsNonRoot' | 'seccompProfile' | 'appArmorProfile'> {
  supplementalGroups?: number[];
  supplementalGroupsPolicy?: 'Merge' | 'Strict';
  fsGroup?: number;
  fsGroupChangePolicy?: 'Always' | 'OnRootMismatch';
  sysctls?: { name: string; value: string }[];
}

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

export interface EnvVar {
  name: string;
  /** As written, `$(VAR)` not expanded; absent with `valueFrom`. */
  value?: string;
  valueFrom?: EnvVarSource;
}

/** Exactly one member. */
export interface EnvVarSource {
  configMapKeyRef?: KeyRef;
  secretKeyRef?: KeyRef;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
  fileKeyRef?: FileKeyRef;
}

/** One variable of a file of `KEY=value` lines in an emptyDir of the pod. */
export interface FileKeyRef {
  volumeName: string;
  path: string;
  key: string;
  optional: boolean;
}

export interface KeyRef {
  name: string;
  key: string;
  optional: boolean;
}

export interface FieldRef {
  /** E.g. `metadata.name`, `metadata.labels['app']`, `status.podIP`. */
  fieldPath: string;
}

export interface ResourceFieldRef {
  /** The container itself when absent (in env); required in volumes. */
  containerName?: string;
  /** E.g. `limits.cpu`. */
  resource: string;
  divisor: string;
}

/** Exactly one of `configMapRef`, `secretRef`. */
export interface EnvFromSource {
  prefix: string;
  configMapRef?: { name: string; optional: boolean };
  secretRef?: { name: string; optional: boolean };
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

/** What to do to find out how a container is, and how its answers count. Seconds. */
export interface Probe extends Handler {
  grpc?: { port: number; service: string };
  initialDelaySeconds: number;
  periodSeconds: number;
  timeoutSeconds: number;
  successThreshold: number;
  failureThreshold: number;
  /** Instead of the pod's, when a failed liveness or startup probe kills the container. */
  terminationGracePeriodSeconds?: number;
}

/** Exactly one member (a Probe may have `grpc`, a hook `sleep`, instead). */
export interface Handler {
  exec?: { command: string[] };
  httpGet?: HttpGet;
  tcpSocket?: { host?: string; port: number | string };
}

export interface HttpGet {
  host?: string;
  path: string;
  /** A number, or the name of one of the container's ports. */
  port: number | string;
  scheme: 'HTTP' | 'HTTPS';
  httpHeaders: { name: string; value: string }[];
}

export interface LifecycleHandler extends Handler {
  sleep?: { seconds: number };
}

export interface Lifecycle {
  postStart?: LifecycleHandler;
  preStop?: LifecycleHandler;
  /** E.g. `SIGUSR1`; the image's, then SIGTERM, when absent. */
  stopSignal?: string;
}

export interface SecurityContext {
  runAsUser?: number;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  readOnlyRootFilesystem?: boolean;
  privileged?: boolean;
  allowPrivilegeEscalation?: boolean;
  capabilities?: { add?: string[]; drop?: string[] };
  procMount?: 'Default' | 'Unmasked';
  /** `localhostProfile` only with, and always with, `Localhost`. */
  seccompProfile?: SecurityProfile;
  appArmorProfile?: SecurityProfile;
}

export interface SecurityProfile {
  type: 'RuntimeDefault' | 'Unconfined' | 'Localhost';
  localhostProfile?: string;
}

/** Exactly one source besides the name. */
export interface Volume {
  name: string;
  emptyDir?: { medium?: '' | 'Memory'; sizeLimit?: string };
  hostPath?: { path: string; type: HostPathType };
  configMap?: ConfigMapSource & { defaultMode: number };
  secret?: { secretName: string; items?: KeyToPath[]; optional: boolean; defaultMode: number };
  downwardAPI?: { items: DownwardFile[]; defaultMode: number };
  projected?: { sources: ProjectedSource[]; defaultMode: number };
  image?: { reference: string; pullPolicy: Container['imagePullPolicy'] };
}

export interface ConfigMapSource {
  name: string;
  /** All keys when absent. */
  items?: KeyToPath[];
  optional: boolean;
}

export interface KeyToPath {
  key: string;
  /** Relative, without `..`. */
  path: string;
  mode?: number;
}

/** Exactly one of `fieldRef`, `resourceFieldRef`. */
export interface DownwardFile {
  path: string;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
  mode?: number;
}

/** Exactly one member. */
export interface ProjectedSource {
  configMap?: ConfigMapSource;
  secret?: ConfigMapSource;
  downwardAPI?: { items: DownwardFile[] };
}

export type HostPathType =
  | ''
  | 'DirectoryOrCreate'
  | 'Directory'
  | 'FileOrCreate'
  | 'File'
  | 'Socket'
  | 'CharDevice'
  | 'BlockDevice';

/** A ConfigMap as the pods read it: every value as bytes, `data` and `binaryData` together. */
export interface ConfigMap {
  apiVersion: 'v1';
  kind: 'ConfigMap';
  metadata: ObjectMeta;
  data: Record<string, string>;
  /** Base64. */
  binaryData: Record<string, string>;
  immutable: boolean;
}

export interface Secret {
  apiVersion: 'v1';
  kind: 'Secret';
  metadata: ObjectMeta;
  type: string;
  /** Base64; what was given as `stringData` is in here too. */
  data: Record<string, string>;
  immutable: boolean;
}

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
