/**
 * For every field that is honoured: values it must not take, wrong in kind or out of range. bad-values.test.ts holds each
 * against the gate, and fails for a field of the support table that has no line here.
 */
import type { TypeName } from '../../../src/manifest/fields.ts';

const long = (length: number) => 'a'.repeat(length);

const text = (...bad: unknown[]) => [1, true, ['x'], { x: 1 }, 'a\0b', ...bad];
/** A text that must be there. */
const needed = (...bad: unknown[]) => [undefined, null, '', ...text(...bad)];
const choice = (...bad: unknown[]) => text('nonsense', ...bad);
const flag = () => [0, 1, 'true', 'yes', [true], { x: 1 }];
const whole = (...bad: unknown[]) => ['1', true, 1.5, [1], { x: 1 }, -1, ...bad];
const list = (...bad: unknown[]) => [1, 'x', true, { x: 1 }, ...bad];
const objects = (...bad: unknown[]) => list([null], [1], ['x'], [[]], ...bad);
const object = (...bad: unknown[]) => [1, 'x', true, [{}], ...bad];
const quantities = () =>
  object({ cpu: 'x' }, { memory: -1 }, { cpu: '1Mii' }, { memory: '0.5' }, { gpu: 1 }, { cpu: [] });

const ID = whole(2 ** 31, 1e300);
const SECONDS = whole(2 ** 31);
const PORT = whole(0, 65536);
const MODE = whole(0o1000);
const LABEL = ['A', '-a', 'a-', 'a.b', 'a_b', long(64)];
const SUBDOMAIN = ['A', '-a', 'a..b', 'a_b', '../x', long(254)];
const KEY = ['..', '..x', 'a/b', 'a b', long(254)];
const BELOW = ['/a', '../a', 'a/../b', `a/${long(4096)}`];
const ABSOLUTE = ['a', '/a/../b', `/${long(4096)}`];
const ENV_NAME = ['a=b', 'ä', 'a\nb'];
const TIME = ['now', '2026-13-01T00:00:00Z', '2026-01-01'];
const PROBE = object({}, { exec: {} }, { grpc: { port: 1 }, tcpSocket: { port: 1 } });
const HOOK = object({}, { grpc: { port: 1 } }, { sleep: {} });
const HOST = text('a b', 'a/b', long(256));
const COMMAND = [undefined, [], ...list([1], [['x']], ['a\0'])];
const PROFILE = object({}, { type: 'x' }, { type: 'Localhost' }, { type: 'Unconfined', localhostProfile: 'x' });
const KEY_REF = object({}, { name: 'n' }, { key: 'k' }, { name: 'N', key: 'k' });
const SOURCE = object({}, { name: 'N' });
const ITEMS = objects([{}], [{ key: 'k' }], [{ path: 'p' }]);
const FILES = objects([{}], [{ path: 'p' }], [{ path: '/p', fieldRef: { fieldPath: 'metadata.name' } }]);
const IMAGE = needed('a b', 'a\nb', long(513));
const POLICY = choice('always');

/** By type and field; the types of the support table in its order. */
export const BAD: Readonly<Record<TypeName, Readonly<Record<string, readonly unknown[]>>>> = {
  Pod: {
    apiVersion: [undefined, null, 'v2', 1, {}],
    kind: [undefined, null, 'pod', 'Pods', 1],
    metadata: [undefined, null, ...object({})],
    spec: [undefined, null, ...object({})],
  },
  ObjectMeta: {
    name: needed(...SUBDOMAIN),
    namespace: text(...LABEL),
    labels: object({ a: 1 }, { a: '-' }, { 'a b': '' }, { a: long(64) }, { [long(64)]: '' }),
    annotations: object({ a: 1 }, { 'a/b/c': '' }, { a: long(256 * 1024) }),
    generation: whole(2 ** 60),
    creationTimestamp: text(...TIME),
    deletionTimestamp: text(...TIME),
    deletionGracePeriodSeconds: SECONDS,
  },
  PodSpec: {
    containers: [undefined, null, [], ...objects(Array(33).fill({ name: 'c', image: 'i' }))],
    ephemeralContainers: objects([{ image: 'i' }], [{ name: 'x' }], Array(33).fill({ name: 'd', image: 'i' })),
    initContainers: objects([{ image: 'i' }], [{ name: 'x' }]),
    volumes: objects([{}], Array(65).fill({ name: 'v' })),
    restartPolicy: choice('always'),
    terminationGracePeriodSeconds: SECONDS,
    activeDeadlineSeconds: whole(0, 2 ** 31),
    hostNetwork: flag(),
    hostPID: flag(),
    hostIPC: flag(),
    shareProcessNamespace: flag(),
    hostUsers: flag(),
    hostname: text(...LABEL),
    subdomain: text(...LABEL),
    setHostnameAsFQDN: flag(),
    hostnameOverride: text('A', 'a_b', 'a..b', long(65)),
    hostAliases: objects([{}], [{ hostnames: ['a'] }]),
    dnsPolicy: choice('none'),
    dnsConfig: object({ nameservers: ['x'] }),
    priority: ['1', true, 1.5, [1], { x: 1 }, 2 ** 31, -(2 ** 31) - 1],
    priorityClassName: text(),
    readinessGates: objects([{}]),
    resources: object({ limits: { cpu: 'x' } }),
    overhead: quantities(),
    securityContext: object({ runAsUser: 'x' }),
  },
  HostAlias: { ip: needed('1.2.3', '1.2.3.4/8', 'a', 'fe80::1%eth0'), hostnames: list(['A'], [1], ['a b'], ['']) },
  PodDNSConfig: {
    nameservers: list(['x'], [1], ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4']),
    searches: list(['a b'], [1], ['-'], Array(33).fill('a'), Array(10).fill(`${long(63)}.`.repeat(3) + long(50))),
    options: objects([{}]),
  },
  PodDNSConfigOption: { name: needed('a b', 'a\nb'), value: text('a b', 'a\nb') },
  PodReadinessGate: { conditionType: needed('-', 'a b', 'a/b/c') },
  PodSecurityContext: {
    runAsUser: ID,
    runAsGroup: ID,
    runAsNonRoot: flag(),
    supplementalGroups: list([-1], ['1'], [null], [2 ** 31]),
    supplementalGroupsPolicy: choice('strict'),
    fsGroup: ID,
    fsGroupChangePolicy: choice(),
    sysctls: objects([{}], [{ name: 'kernel.msgmax' }]),
    seccompProfile: PROFILE,
    appArmorProfile: PROFILE,
  },
  Sysctl: {
    name: needed('kernel.core_pattern', 'vm.swappiness', 'Kernel.msgmax', 'kernel..msgmax', '../x'),
    value: [undefined, null, '', ...text('x', '1\n2', '1;2', '1=2')],
  },
  Container: {
    name: needed(...LABEL),
    image: IMAGE,
    imagePullPolicy: POLICY,
    command: list([1], [{}], ['a\0b'], Array(1025).fill('x')),
    args: list([1], [{}], ['a\0b'], [long(131_072)]),
    workingDir: text(...ABSOLUTE),
    env: objects([{}], [{ value: 'x' }], Array(513).fill({ name: 'A' })),
    envFrom: objects([{}], [{ prefix: 'A' }]),
    ports: objects([{}], Array(129).fill({ containerPort: 1 })),
    resources: object({ limits: { cpu: 'x' } }, { requests: { memory: 2 }, limits: { memory: 1 } }),
    resizePolicy: objects([{}], Array(2).fill({ resourceName: 'cpu', restartPolicy: 'NotRequired' })),
    restartPolicy: choice('always'),
    restartPolicyRules: objects([{}], [{ action: 'Restart' }], Array(21).fill({})),
    volumeMounts: objects([{}], [{ name: 'v' }], [{ mountPath: '/v' }]),
    livenessProbe: PROBE,
    readinessProbe: PROBE,
    startupProbe: PROBE,
    lifecycle: object({ preStop: {} }, { stopSignal: 'TERM' }),
    stdin: flag(),
    terminationMessagePath: text(...ABSOLUTE),
    terminationMessagePolicy: choice('file'),
    securityContext: object({ runAsUser: 'x' }),
  },
  EphemeralContainer: {
    name: needed(...LABEL, 'c'),
    image: IMAGE,
    imagePullPolicy: POLICY,
    command: list([1]),
    args: list([1]),
    workingDir: text(...ABSOLUTE),
    env: objects([{}]),
    envFrom: objects([{}]),
    volumeMounts: objects([{ name: 'v' }], [{ mountPath: '/v' }]),
    targetContainerName: text('nobody'),
    stdin: flag(),
    terminationMessagePath: text(...ABSOLUTE),
    terminationMessagePolicy: choice('file'),
    securityContext: object({ runAsUser: 'x' }),
  },
  ContainerPort: {
    name: text('A', '80', '-a', 'a--b', long(16)),
    containerPort: [undefined, null, ...PORT],
    protocol: choice('tcp'),
    hostPort: whole(65536),
    hostIP: text('::1', '1.2.3', 'x'),
  },
  ContainerResizePolicy: {
    resourceName: needed('ephemeral-storage', 'CPU'),
    restartPolicy: needed('Never'),
  },
  ContainerRestartRule: { action: needed('restart', 'Stop'), exitCodes: [undefined, null, ...object({})] },
  ContainerRestartRuleOnExitCodes: {
    operator: needed('in', 'Exists'),
    values: [undefined, null, [], ...list([-1], [256], ['1'], [null], Array(256).fill(1))],
  },
  ResourceRequirements: { limits: quantities(), requests: quantities() },
  VolumeMount: {
    name: needed('w', 'V'),
    mountPath: needed(...ABSOLUTE, '/', '//', '/proc', '/proc/sys'),
    readOnly: flag(),
    subPath: text(...BELOW),
    subPathExpr: text(...BELOW),
    mountPropagation: choice('Bidirectional', 'none'),
    recursiveReadOnly: choice('enabled', 'Enabled'),
  },
  EnvVar: { name: needed(...ENV_NAME), value: text(long(131_072)), valueFrom: object({}, { nonsense: {} }) },
  EnvVarSource: {
    configMapKeyRef: KEY_REF,
    secretKeyRef: KEY_REF,
    fieldRef: object({}, { fieldPath: 'x' }),
    resourceFieldRef: object({}, { resource: 'x' }),
    fileKeyRef: object({}, { volumeName: 'v', path: 'p' }),
  },
  FileKeySelector: {
    volumeName: needed('nobody'),
    path: needed(...BELOW),
    key: needed(...ENV_NAME),
    optional: flag(),
  },
  ConfigMapKeySelector: { name: needed(...SUBDOMAIN), key: needed(...KEY), optional: flag() },
  SecretKeySelector: { name: needed(...SUBDOMAIN), key: needed(...KEY), optional: flag() },
  ObjectFieldSelector: {
    fieldPath: needed('status.phase', 'spec', 'metadata.labels', "metadata.labels['']", "metadata.labels['a b']"),
  },
  ResourceFieldSelector: {
    containerName: text('nobody'),
    resource: needed('cpu', 'limits.gpu', 'requests.hugepages-2Mi'),
    divisor: ['x', true, [1], { x: 1 }, '2', '-1', 3],
  },
  EnvFromSource: { prefix: text(...ENV_NAME), configMapRef: SOURCE, secretRef: SOURCE },
  ConfigMapEnvSource: { name: needed(...SUBDOMAIN), optional: flag() },
  SecretEnvSource: { name: needed(...SUBDOMAIN), optional: flag() },
  Probe: {
    exec: object({}),
    httpGet: object({}),
    tcpSocket: object({}),
    grpc: object({}),
    initialDelaySeconds: SECONDS,
    timeoutSeconds: SECONDS,
    periodSeconds: SECONDS,
    successThreshold: whole(2),
    failureThreshold: SECONDS,
    terminationGracePeriodSeconds: whole(0, 2 ** 31),
  },
  Lifecycle: { postStart: HOOK, preStop: HOOK, stopSignal: text('TERM', 'sigterm', 'SIGRTMIN+16', '15') },
  LifecycleHandler: { exec: object({}), httpGet: object({}), tcpSocket: object({}), sleep: object({}) },
  ExecAction: { command: COMMAND },
  HTTPGetAction: {
    host: HOST,
    path: text('/a b', '/a\r\nb', long(4096)),
    port: [undefined, null, '', 'nobody', true, 0, 65536, 1.5, [], {}],
    scheme: choice('http'),
    httpHeaders: objects([{}], [{ value: 'x' }]),
  },
  HTTPHeader: { name: needed('a b', 'a:', 'ä'), value: text('a\r\nb') },
  TCPSocketAction: { host: HOST, port: [undefined, null, '', 'nobody', true, 0, 65536, [], {}] },
  GRPCAction: { port: [undefined, null, ...PORT], service: text() },
  SleepAction: { seconds: [undefined, null, ...whole(31)] },
  SecurityContext: {
    runAsUser: ID,
    runAsGroup: ID,
    runAsNonRoot: flag(),
    readOnlyRootFilesystem: flag(),
    privileged: flag(),
    allowPrivilegeEscalation: flag(),
    capabilities: object({ add: ['x'] }),
    procMount: choice('Unmasked'),
    seccompProfile: PROFILE,
    appArmorProfile: PROFILE,
  },
  Capabilities: { add: list(['x'], [1], [null], ['net_admin']), drop: list(['x'], [1], [null]) },
  SeccompProfile: { type: needed('runtime/default'), localhostProfile: text('x') },
  AppArmorProfile: { type: needed('localhost/x'), localhostProfile: text('x') },
  Volume: {
    name: needed(...LABEL),
    emptyDir: object({ medium: 'x' }),
    hostPath: object({}),
    configMap: SOURCE,
    secret: object({}),
    downwardAPI: object({ items: [{}] }),
    projected: object({ sources: [{}] }),
    image: object({}),
  },
  EmptyDirVolumeSource: {
    medium: choice('memory', 'HugePages'),
    sizeLimit: ['x', true, [1], { x: 1 }, -1, '0.5', '100m'],
  },
  HostPathVolumeSource: { path: needed(...ABSOLUTE), type: choice('directory') },
  ConfigMapVolumeSource: { name: needed(...SUBDOMAIN), items: ITEMS, optional: flag(), defaultMode: MODE },
  SecretVolumeSource: { secretName: needed(...SUBDOMAIN), items: ITEMS, optional: flag(), defaultMode: MODE },
  KeyToPath: { key: needed(...KEY), path: needed(...BELOW, '..data'), mode: MODE },
  DownwardAPIVolumeSource: { items: FILES, defaultMode: MODE },
  DownwardAPIVolumeFile: {
    path: needed(...BELOW, '..data'),
    fieldRef: object({}, { fieldPath: 'status.podIP' }),
    resourceFieldRef: object({}, { resource: 'limits.cpu' }),
    mode: MODE,
  },
  ProjectedVolumeSource: { sources: objects([{}], [{ configMap: {} }]), defaultMode: MODE },
  VolumeProjection: { configMap: SOURCE, secret: SOURCE, downwardAPI: object({ items: [{}] }) },
  ConfigMapProjection: { name: needed(...SUBDOMAIN), items: ITEMS, optional: flag() },
  SecretProjection: { name: needed(...SUBDOMAIN), items: ITEMS, optional: flag() },
  DownwardAPIProjection: { items: FILES },
  ImageVolumeSource: { reference: IMAGE, pullPolicy: POLICY },
  ConfigMap: {
    apiVersion: [undefined, null, 'v2', 1],
    kind: [undefined, null, 'Secret', 1],
    metadata: [undefined, null, ...object({})],
    data: object({ a: 1 }, { 'a/b': '' }, { '..': '' }, { a: long(2 ** 20 + 1) }),
    binaryData: object({ a: 1 }, { a: '!' }, { a: 'YQ' }),
    immutable: flag(),
  },
  Secret: {
    apiVersion: [undefined, null, 'v2', 1],
    kind: [undefined, null, 'ConfigMap', 1],
    metadata: [undefined, null, ...object({})],
    type: text(),
    data: object({ a: 1 }, { a: 'plain text' }, { 'a/b': '' }),
    stringData: object({ a: 1 }, { 'a b': '' }),
    immutable: flag(),
  },
};
