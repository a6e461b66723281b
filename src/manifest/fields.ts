/**
 * Every field Kubernetes 1.36 knows in the objects a Pod is made of, and what edgepod does with it. The validators take
 * their decision from here and FIELDS.md is written from here, so the two cannot disagree.
 */

import { type FieldTable, ignored, many, quiet, refused, strict, yes } from './fields/field.ts';
import { ConfigMap, Secret } from './fields/objects.ts';

export type { Field, FieldTable, Support } from './fields/field.ts';

const LATER = 'not in this version';
const SCHEDULING = 'the device is chosen by the topic the manifest is published to';
const NO_API = 'there is no API server for the pod to talk to';
const SERVER = "an API server's bookkeeping";
const DEFAULT_ONLY = 'only the default is available';
const LSM = 'Linux security modules are not configured yet';

const Pod: FieldTable = {
  apiVersion: yes('must be `v1`'),
  kind: yes('must be `Pod`; a `List` of Pods is taken apart'),
  metadata: yes(),
  spec: yes(),
  status: quiet('the device reports its own'),
};

const ObjectMeta: FieldTable = {
  name: yes('a DNS subdomain; must be the last part of the topic'),
  namespace: yes('a DNS label, `default` when absent; must be the part of the topic before the name'),
  labels: yes('a change does not restart the pod'),
  annotations: yes('a change does not restart the pod; at most 256 KiB together'),
  generation: yes('when present, must grow with every change'),
  creationTimestamp: yes(),
  deletionTimestamp: yes('asks for the pod to be deleted; a manifest that has it needs no `spec`'),
  deletionGracePeriodSeconds: yes('with deletionTimestamp: replaces the grace period of the spec'),
  uid: quiet('the device gives the pod its own'),
  generateName: ignored('a name must be given', ''),
  ownerReferences: ignored('nothing owns a pod on a device'),
  finalizers: ignored('deletion waits for the pod alone'),
  ...many('resourceVersion selfLink managedFields', quiet(SERVER)),
};

const PodSpec: FieldTable = {
  containers: yes('1 to 32'),
  volumes: yes('`emptyDir` and `hostPath`'),
  restartPolicy: yes('`Always` (default), `OnFailure`, `Never`'),
  terminationGracePeriodSeconds: yes('30 by default'),
  hostNetwork: yes(),
  shareProcessNamespace: yes(),
  hostname: yes('a DNS label; the pod name, cut to 63 characters, when absent'),
  securityContext: yes('defaults for every container'),
  ...many('initContainers ephemeralContainers activeDeadlineSeconds hostAliases dnsConfig subdomain', refused()),
  ...many('readinessGates resources resourceClaims hostnameOverride', refused()),
  dnsPolicy: refused("only the node's own resolver is available", 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default'),
  ...many('hostPID hostIPC setHostnameAsFQDN', refused(LATER, false)),
  hostUsers: refused('user namespaces are not available yet', true),
  ...many('runtimeClassName overhead', refused('there is one runtime')),
  os: refused('only Linux is available', { name: 'linux' }),
  ...many('schedulingGates schedulingGroup', refused('a gate would never be lifted: there is no scheduler')),
  ...many('nodeSelector nodeName affinity tolerations topologySpreadConstraints', ignored(SCHEDULING)),
  schedulerName: ignored(SCHEDULING, 'default-scheduler'),
  priority: ignored('no pod is evicted for another yet', 0),
  priorityClassName: ignored('no pod is evicted for another yet'),
  preemptionPolicy: ignored('no pod is evicted for another yet', 'PreemptLowerPriority', 'Never'),
  ...many('serviceAccountName serviceAccount', ignored(NO_API, 'default')),
  automountServiceAccountToken: ignored(NO_API, false),
  enableServiceLinks: ignored('there are no Services', true, false),
  imagePullSecrets: ignored("the agent's own registry credentials are used"),
};

const PodSecurityContext: FieldTable = {
  ...many('runAsUser runAsGroup', yes('0 to 2147483647')),
  runAsNonRoot: refused(LATER, false),
  ...many('fsGroup fsGroupChangePolicy supplementalGroups supplementalGroupsPolicy sysctls', refused()),
  seccompProfile: refused(DEFAULT_ONLY, { type: 'RuntimeDefault' }),
  ...many('appArmorProfile seLinuxOptions seLinuxChangePolicy', refused(LSM)),
  windowsOptions: refused('only Linux is available'),
};

const Container: FieldTable = {
  name: yes('a DNS label, unique in the pod'),
  image: yes('at most 512 characters'),
  imagePullPolicy: yes('`Always` (default for `:latest` and no tag), `IfNotPresent` (default otherwise), `Never`'),
  command: yes("replaces the image's entrypoint and cmd; `$(VAR)` is expanded"),
  args: yes("replaces the image's cmd; `$(VAR)` is expanded"),
  workingDir: yes("an absolute path; the image's when absent"),
  env: yes(),
  ports: yes('informative, except for `hostNetwork`'),
  resources: yes('`cpu` and `memory`; `ephemeral-storage` is ignored with a warning, any other resource refused'),
  volumeMounts: yes(),
  securityContext: yes(),
  envFrom: refused(),
  ...many('livenessProbe readinessProbe startupProbe', strict()),
  ...many('lifecycle volumeDevices restartPolicy restartPolicyRules', refused()),
  ...many('stdin stdinOnce tty', refused('a container has no terminal and no input', false)),
  terminationMessagePath: ignored('the message is not read yet', '/dev/termination-log'),
  terminationMessagePolicy: ignored('the message is not read yet', 'File'),
  resizePolicy: ignored('a changed resource replaces the pod'),
};

const EnvVar: FieldTable = {
  name: yes('printable ASCII without `=`'),
  value: yes('`$(VAR)` refers to a variable defined before'),
  valueFrom: strict(),
};

const ContainerPort: FieldTable = {
  name: yes('at most 15 of a-z, 0-9 and `-`; unique in the container'),
  containerPort: yes('1 to 65535'),
  protocol: yes('`TCP` (default), `UDP`, `SCTP`'),
  hostPort: yes('only with `hostNetwork`, where it must be the containerPort; otherwise not in this version'),
  hostIP: refused(),
};

const ResourceRequirements: FieldTable = {
  limits: yes('of `cpu` and `memory`'),
  requests: yes('the limits when absent'),
  claims: refused(),
};

const VolumeMount: FieldTable = {
  name: yes('of a volume of the pod'),
  mountPath: yes('an absolute path without `..`, not `/` and not below `/proc`'),
  readOnly: yes(),
  subPath: yes('a relative path without `..`'),
  subPathExpr: refused(),
  mountPropagation: refused(DEFAULT_ONLY, 'None'),
  recursiveReadOnly: refused(DEFAULT_ONLY, 'Disabled'),
};

const SecurityContext: FieldTable = {
  ...many('runAsUser runAsGroup', yes("0 to 2147483647; the pod's, then the image's, when absent")),
  readOnlyRootFilesystem: yes(),
  privileged: yes("all capabilities, no masked paths, no seccomp; for the host's devices mount hostPath `/dev`"),
  allowPrivilegeEscalation: yes('false sets no_new_privs'),
  capabilities: yes(),
  runAsNonRoot: refused(LATER, false),
  procMount: refused(DEFAULT_ONLY, 'Default'),
  seccompProfile: refused(DEFAULT_ONLY, { type: 'RuntimeDefault' }),
  ...many('appArmorProfile seLinuxOptions', refused(LSM)),
  windowsOptions: refused('only Linux is available'),
};

const Capabilities: FieldTable = {
  add: yes('names without `CAP_`, or `ALL`'),
  drop: yes('names without `CAP_`, or `ALL`; with `ALL`, only what `add` names is left'),
};

const Volume: FieldTable = {
  name: yes('a DNS label, unique in the pod'),
  emptyDir: yes('what a volume without a source is'),
  hostPath: yes(),
  ...many('configMap secret downwardAPI projected image persistentVolumeClaim', strict()),
  ...many('ephemeral csi nfs iscsi fc', strict('network and plug-in storage is not available')),
  ...many('gitRepo awsElasticBlockStore azureDisk azureFile cephfs cinder', strict('legacy storage is not available')),
  ...many('flexVolume flocker gcePersistentDisk glusterfs', strict('legacy storage is not available')),
  ...many('photonPersistentDisk portworxVolume quobyte rbd', strict('legacy storage is not available')),
  ...many('scaleIO storageos vsphereVolume', strict('legacy storage is not available')),
};

const EmptyDirVolumeSource: FieldTable = {
  medium: yes('`""` (disk, default) or `Memory`'),
  sizeLimit: yes('a quantity; the size of the tmpfs with `Memory`'),
};

const HostPathVolumeSource: FieldTable = {
  path: yes('an absolute path without `..`'),
  type: yes('`""`, `DirectoryOrCreate`, `Directory`, `FileOrCreate`, `File`, `Socket`, `CharDevice`, `BlockDevice`'),
};

/** The tables, by the name of the Kubernetes type. */
export const FIELDS = {
  Pod,
  ObjectMeta,
  PodSpec,
  PodSecurityContext,
  Container,
  EnvVar,
  ContainerPort,
  ResourceRequirements,
  VolumeMount,
  SecurityContext,
  Capabilities,
  Volume,
  EmptyDirVolumeSource,
  HostPathVolumeSource,
  ConfigMap,
  Secret,
} satisfies Record<string, FieldTable>;

export type TypeName = keyof typeof FIELDS;

/** Where each type stands in a Pod, as a path. */
export const PLACES: Readonly<Record<TypeName, string>> = {
  Pod: '',
  ObjectMeta: 'metadata',
  PodSpec: 'spec',
  PodSecurityContext: 'spec.securityContext',
  Container: 'spec.containers[]',
  EnvVar: 'spec.containers[].env[]',
  ContainerPort: 'spec.containers[].ports[]',
  ResourceRequirements: 'spec.containers[].resources',
  VolumeMount: 'spec.containers[].volumeMounts[]',
  SecurityContext: 'spec.containers[].securityContext',
  Capabilities: 'spec.containers[].securityContext.capabilities',
  Volume: 'spec.volumes[]',
  EmptyDirVolumeSource: 'spec.volumes[].emptyDir',
  HostPathVolumeSource: 'spec.volumes[].hostPath',
  ConfigMap: '',
  Secret: '',
};

/** Types that are no part of a Pod. */
const OBJECTS: ReadonlySet<string> = new Set<TypeName>(['ConfigMap', 'Secret']);

/** Paths of every field of a Pod that is honoured, sorted: what a device publishes in its node object. */
export function supportedFields(): string[] {
  const types = Object.entries(FIELDS) as [TypeName, FieldTable][];
  return types
    .filter(([type]) => !OBJECTS.has(type))
    .flatMap(([type, table]) =>
      Object.entries(table)
        .filter(([, field]) => field.support === 'yes')
        .map(([name]) => (PLACES[type] === '' ? name : `${PLACES[type]}.${name}`)),
    )
    .sort();
}
