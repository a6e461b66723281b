/** A container and its plain parts. */
import { type FieldTable, forbidden, ignored, many, refused, yes } from './field.ts';

export const Container: FieldTable = {
  name: yes('a DNS label, unique in the pod'),
  image: yes('at most 512 characters'),
  imagePullPolicy: yes('`Always` (default for `:latest` and no tag), `IfNotPresent` (default otherwise), `Never`'),
  command: yes("replaces the image's entrypoint and cmd; `$(VAR)` is expanded"),
  args: yes("replaces the image's cmd; `$(VAR)` is expanded"),
  workingDir: yes("an absolute path; the image's when absent"),
  env: yes(),
  envFrom: yes(),
  ports: yes(),
  resources: yes('`cpu`, `memory` and `ephemeral-storage`; any other resource is refused'),
  resizePolicy: yes('not on plain init containers; amounts change in place where the node has them'),
  restartPolicy: yes("instead of the pod's; `Always` on an init container makes it a sidecar"),
  restartPolicyRules: yes('at most 20; with `restartPolicy`; the first that matches decides'),
  volumeMounts: yes(),
  ...many('livenessProbe readinessProbe startupProbe lifecycle', yes('not on plain init containers')),
  terminationMessagePath: yes('`/dev/termination-log` by default'),
  terminationMessagePolicy: yes('`File` (default), `FallbackToLogsOnError`'),
  securityContext: yes(),
  volumeDevices: refused('block devices are not handed out'),
  stdin: yes('standard input stays open instead of being empty; nobody can write to it'),
  stdinOnce: ignored('nobody can attach to a container', false),
  tty: ignored('a container has no terminal; what it prints goes to its log', false),
};

const { resizePolicy, ports, resources, restartPolicy, restartPolicyRules, ...OF_ANY } = Container;

/** What a container that is added to a running pod cannot have: the pod was admitted without it. */
export const EphemeralContainer: FieldTable = {
  ...OF_ANY,
  name: yes('a DNS label, unique in the pod'),
  targetContainerName: yes('one of the init or regular containers: its processes are seen, and share a PID namespace'),
  ...many(
    'ports resources resizePolicy restartPolicy restartPolicyRules livenessProbe readinessProbe startupProbe lifecycle',
    forbidden('cannot be set for an Ephemeral Container'),
  ),
};

export const ContainerPort: FieldTable = {
  name: yes('at most 15 of a-z, 0-9 and `-`; unique in the container'),
  containerPort: yes('1 to 65535'),
  protocol: yes('`TCP` (default), `UDP`, `SCTP`'),
  hostPort: yes('with `hostNetwork`, must be the containerPort'),
  hostIP: yes('an IPv4 address of the device; every one when absent'),
};

export const ResourceRequirements: FieldTable = {
  limits: yes(),
  requests: yes('the limits when absent'),
  claims: refused(),
};

export const ContainerResizePolicy: FieldTable = {
  resourceName: yes('`cpu`, `memory`'),
  restartPolicy: yes('`NotRequired`, `RestartContainer`'),
};

export const ContainerRestartRule: FieldTable = {
  action: yes('`Restart`, `RestartAllContainers` (init containers too; in a new sandbox, at the same address)'),
  exitCodes: yes(),
};

export const ContainerRestartRuleOnExitCodes: FieldTable = {
  operator: yes('`In`, `NotIn`'),
  values: yes('1 to 255 of them'),
};

export const VolumeMount: FieldTable = {
  name: yes('of a volume of the pod'),
  mountPath: yes('an absolute path without `..`, not `/` and not below `/proc`'),
  readOnly: yes(),
  subPath: yes('a relative path without `..`'),
  subPathExpr: yes('`$(VAR)` of the container; not with `subPath`'),
  mountPropagation: yes('`None` (default), `HostToContainer`, `Bidirectional` (privileged only)'),
  recursiveReadOnly: yes('`Disabled` (default), `IfPossible`, `Enabled`; with `readOnly` and without propagation'),
};
