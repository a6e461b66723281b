/**
 * Every field Kubernetes 1.36 knows in the objects a Pod is made of, and what edgepod does with it. The validators take
 * their decision from here and FIELDS.md is written from here, so the two cannot disagree.
 */
import * as container from './fields/container.ts';
import * as env from './fields/env.ts';
import type { FieldTable } from './fields/field.ts';
import * as objects from './fields/objects.ts';
import * as pod from './fields/pod.ts';
import * as probes from './fields/probes.ts';
import * as security from './fields/security.ts';
import * as volumes from './fields/volumes.ts';

export type { Field, FieldTable, Support } from './fields/field.ts';

/** The tables, by the name of the Kubernetes type. */
export const FIELDS = {
  ...pod,
  ...container,
  ...env,
  ...probes,
  ...security,
  ...volumes,
  ...objects,
} satisfies Record<string, FieldTable>;

export type TypeName = keyof typeof FIELDS;

const C = 'spec.containers[]';
const ENV = `${C}.env[].valueFrom`;
const PROBE = `${C}.livenessProbe`;
const V = 'spec.volumes[]';
const PROJECTED = `${V}.projected.sources[]`;

/** Where each type stands in a Pod, as a path; where in several places, one of them. */
export const PLACES: Readonly<Record<TypeName, string>> = {
  Pod: '',
  ObjectMeta: 'metadata',
  PodSpec: 'spec',
  HostAlias: 'spec.hostAliases[]',
  PodDNSConfig: 'spec.dnsConfig',
  PodDNSConfigOption: 'spec.dnsConfig.options[]',
  PodReadinessGate: 'spec.readinessGates[]',
  PodSecurityContext: 'spec.securityContext',
  Sysctl: 'spec.securityContext.sysctls[]',
  Container: C,
  EphemeralContainer: 'spec.ephemeralContainers[]',
  ContainerPort: `${C}.ports[]`,
  ResourceRequirements: `${C}.resources`,
  ContainerResizePolicy: `${C}.resizePolicy[]`,
  ContainerRestartRule: `${C}.restartPolicyRules[]`,
  ContainerRestartRuleOnExitCodes: `${C}.restartPolicyRules[].exitCodes`,
  VolumeMount: `${C}.volumeMounts[]`,
  EnvVar: `${C}.env[]`,
  EnvVarSource: ENV,
  ConfigMapKeySelector: `${ENV}.configMapKeyRef`,
  SecretKeySelector: `${ENV}.secretKeyRef`,
  ObjectFieldSelector: `${ENV}.fieldRef`,
  ResourceFieldSelector: `${ENV}.resourceFieldRef`,
  FileKeySelector: `${ENV}.fileKeyRef`,
  EnvFromSource: `${C}.envFrom[]`,
  ConfigMapEnvSource: `${C}.envFrom[].configMapRef`,
  SecretEnvSource: `${C}.envFrom[].secretRef`,
  Probe: PROBE,
  ExecAction: `${PROBE}.exec`,
  HTTPGetAction: `${PROBE}.httpGet`,
  HTTPHeader: `${PROBE}.httpGet.httpHeaders[]`,
  TCPSocketAction: `${PROBE}.tcpSocket`,
  GRPCAction: `${PROBE}.grpc`,
  Lifecycle: `${C}.lifecycle`,
  LifecycleHandler: `${C}.lifecycle.preStop`,
  SleepAction: `${C}.lifecycle.preStop.sleep`,
  SecurityContext: `${C}.securityContext`,
  Capabilities: `${C}.securityContext.capabilities`,
  SeccompProfile: `${C}.securityContext.seccompProfile`,
  AppArmorProfile: `${C}.securityContext.appArmorProfile`,
  Volume: V,
  EmptyDirVolumeSource: `${V}.emptyDir`,
  HostPathVolumeSource: `${V}.hostPath`,
  ConfigMapVolumeSource: `${V}.configMap`,
  SecretVolumeSource: `${V}.secret`,
  KeyToPath: `${V}.configMap.items[]`,
  DownwardAPIVolumeSource: `${V}.downwardAPI`,
  DownwardAPIVolumeFile: `${V}.downwardAPI.items[]`,
  ProjectedVolumeSource: `${V}.projected`,
  VolumeProjection: PROJECTED,
  ConfigMapProjection: `${PROJECTED}.configMap`,
  SecretProjection: `${PROJECTED}.secret`,
  DownwardAPIProjection: `${PROJECTED}.downwardAPI`,
  ImageVolumeSource: `${V}.image`,
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
