/** Arbitrary valid Pods over every field that is honoured, for property tests. What refers to something refers to what is there. */
import fc from 'fast-check';
import type { Json } from './fixtures.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const label = fc.array(fc.constantFrom(...LETTERS), { minLength: 1, maxLength: 8 }).map((letters) => letters.join(''));
const text = fc.string({ maxLength: 12 }).filter((value) => !value.includes('\0'));
const flag = fc.boolean();
const seconds = fc.integer({ min: 0, max: 100 });
const count = fc.integer({ min: 1, max: 20 });
const port = fc.integer({ min: 1, max: 65535 });
const id = fc.integer({ min: 1, max: 60_000 });
const mode = fc.integer({ min: 0, max: 0o777 });
const relative = fc.array(label, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const absolute = relative.map((path) => `/${path}`);
const cpu = fc.integer({ min: 1, max: 4000 }).map((milli) => `${milli}m`);
const bytes = fc.integer({ min: 16, max: 512 }).map((mebi) => `${mebi}Mi`);
const command = fc.array(fc.constantFrom('sh', '-c', 'echo $(A) $$(B)', 'x y', ''), { minLength: 1, maxLength: 4 });

/** An object of which any member may be missing. */
const some = (members: Record<string, fc.Arbitrary<unknown>>) => fc.record(members, { requiredKeys: [] });
/** An object of which some members must be there. */
const record = (needed: Record<string, fc.Arbitrary<unknown>>, more: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ ...needed, ...more }, { requiredKeys: Object.keys(needed) });
/** An object with one member of several. */
const oneOf = (choices: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof(...Object.entries(choices).map(([name, value]) => fc.record({ [name]: value })));
const few = <T>(item: fc.Arbitrary<T>, most = 3) => fc.array(item, { maxLength: most });
const named = (item: fc.Arbitrary<Json>, key: string, most = 3) =>
  fc.uniqueArray(item, { maxLength: most, selector: (value) => value[key] });

const fieldRef = (...paths: string[]) => fc.record({ fieldPath: fc.constantFrom(...paths, "metadata.labels['app']") });
const resourceFieldRef = fc.record({
  containerName: fc.constant('main'),
  resource: fc.constantFrom('limits.cpu', 'requests.memory', 'limits.ephemeral-storage'),
  divisor: fc.constantFrom('1', 1, '0', null),
});
const keyRef = record({ name: label, key: label }, { optional: flag });
const items = named(record({ key: label, path: label }, { mode }), 'path');
const downwardItems = named(
  fc
    .tuple(
      oneOf({ fieldRef: fieldRef('metadata.name', 'metadata.labels', 'metadata.uid'), resourceFieldRef }),
      record({ path: relative }, { mode }),
    )
    .map(([source, file]) => ({ ...file, ...source })),
  'path',
);
const projection = record({ name: label }, { items, optional: flag });

const volumeSource = fc.oneof(
  fc.constant({}),
  oneOf({
    emptyDir: some({ medium: fc.constantFrom('', 'Memory'), sizeLimit: bytes }),
    hostPath: record(
      { path: absolute },
      { type: fc.constantFrom('', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice') },
    ),
    configMap: record({ name: label }, { items, optional: flag, defaultMode: mode }),
    secret: record({ secretName: label }, { items, optional: flag, defaultMode: mode }),
    downwardAPI: some({ items: downwardItems, defaultMode: mode }),
    projected: record(
      // One source: two might write one file, which is refused.
      {
        sources: few(
          oneOf({ configMap: projection, secret: projection, downwardAPI: some({ items: downwardItems }) }),
          1,
        ),
      },
      { defaultMode: mode },
    ),
    image: record({ reference: label }, { pullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never') }),
  }),
);
const volumes = few(volumeSource, 4).map((sources) => [
  { name: 'files' },
  ...sources.map((source, i) => ({ name: `v${i}`, ...source })),
]);

const httpGet = record(
  { port: fc.oneof(port, fc.constant('http')) },
  {
    host: label,
    path: absolute,
    scheme: fc.constantFrom('HTTP', 'HTTPS'),
    httpHeaders: few(record({ name: label, value: label })),
  },
);
const handlers = {
  exec: fc.record({ command }),
  httpGet,
  tcpSocket: record({ port: fc.oneof(port, fc.constant('http')) }, { host: label }),
};
const probe = (more: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .tuple(
      oneOf({ ...handlers, grpc: record({ port }, { service: text }) }),
      some({
        initialDelaySeconds: seconds,
        timeoutSeconds: seconds,
        periodSeconds: seconds,
        failureThreshold: count,
        ...more,
      }),
    )
    .map(([handler, numbers]) => ({ ...numbers, ...handler }));
const mortal = probe({ terminationGracePeriodSeconds: count, successThreshold: fc.constantFrom(0, 1) });
const hook = oneOf({ ...handlers, sleep: fc.record({ seconds: fc.integer({ min: 0, max: 5 }) }) });
const probes = {
  livenessProbe: mortal,
  startupProbe: mortal,
  readinessProbe: probe({ successThreshold: count }),
  lifecycle: some({ postStart: hook, preStop: hook, stopSignal: fc.constantFrom('SIGUSR1', 'SIGRTMIN+3', 'SIGTERM') }),
};

const profile = fc.oneof(
  fc.record({ type: fc.constantFrom('RuntimeDefault', 'Unconfined') }),
  fc.record({ type: fc.constant('Localhost'), localhostProfile: relative }),
);
const identity = {
  runAsUser: id,
  runAsGroup: id,
  runAsNonRoot: flag,
  seccompProfile: profile,
  appArmorProfile: profile,
};
const capability = fc.constantFrom('NET_ADMIN', 'CAP_CHOWN', 'ALL', 'SYS_TIME');
const confined = some({
  ...identity,
  readOnlyRootFilesystem: flag,
  allowPrivilegeEscalation: flag,
  capabilities: some({ add: few(capability), drop: few(capability) }),
  procMount: fc.constant('Default'),
});
const securityContext = fc.oneof({ weight: 4, arbitrary: confined }, fc.record({ privileged: flag, ...identity }));
const podSecurityContext = some({
  ...identity,
  supplementalGroups: few(id),
  supplementalGroupsPolicy: fc.constantFrom('Merge', 'Strict'),
  fsGroup: id,
  fsGroupChangePolicy: fc.constantFrom('Always', 'OnRootMismatch'),
});

const amounts = { cpu, memory: bytes, 'ephemeral-storage': bytes };
/** Limits alone, or beyond whatever is asked for. */
const resources = fc.oneof(
  some({ limits: some(amounts) }),
  some({ requests: some(amounts), limits: some({ cpu: fc.constant(4), memory: fc.constant('512Mi') }) }),
);
const variable = fc.oneof(
  record({ name: label }, { value: fc.constantFrom('', 'x', '$(A)', '$$(A)') }),
  fc.record({
    name: label,
    valueFrom: oneOf({
      configMapKeyRef: keyRef,
      secretKeyRef: keyRef,
      fieldRef: fieldRef('metadata.name', 'status.podIP', 'spec.nodeName'),
      resourceFieldRef,
    }),
  }),
);
const fileVariable = fc.record({
  name: label,
  valueFrom: fc.record({
    fileKeyRef: record({ volumeName: fc.constant('files'), path: relative, key: label }, { optional: flag }),
  }),
});
const source = oneOf({ configMapRef: projectionName(), secretRef: projectionName() });

function projectionName() {
  return record({ name: label }, { optional: flag });
}

const rule = fc.record({
  action: fc.constant('Restart'),
  exitCodes: fc.record({
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 3 }),
  }),
});

const recursive = ({ mountPropagation, ...mount }: Json): Json => ({
  ...mount,
  readOnly: true,
  recursiveReadOnly: 'IfPossible',
});
const expressed = ({ subPath, ...mount }: Json): Json => ({ ...mount, subPathExpr: 'a/$(A)' });

/** Mounts of volumes there are, each in a place of its own. */
const mountsOf = (names: readonly string[]) =>
  names.length === 0
    ? fc.constant([])
    : named(
        record(
          { name: fc.constantFrom(...names), mountPath: absolute.map((path) => `/mnt${path}`) },
          { readOnly: flag, subPath: relative, mountPropagation: fc.constantFrom('None', 'HostToContainer') },
        ).chain((mount) => fc.constantFrom(mount, recursive(mount), expressed(mount))),
        'mountPath',
      );

/** The named one for probes; one of the device, which no other container has. */
const portsOf = (name: string) => {
  const published = 1000 + 10 * (name.codePointAt(0) as number);
  const own = record(
    { containerPort: fc.constant(published) },
    { hostPort: fc.constant(published), protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'), hostIP: fc.ipV4() },
  );
  const named80 = fc.constant({ name: 'http', containerPort: 80 + (name.codePointAt(1) as number) });
  return fc.oneof(fc.tuple(named80), fc.tuple(named80, own));
};

const container = (name: string, volumeNames: readonly string[], more: Record<string, fc.Arbitrary<unknown>>) =>
  record(
    { name: fc.constant(name), image: label, ports: portsOf(name) },
    {
      imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
      command,
      args: command,
      workingDir: absolute,
      env: few(fc.oneof({ weight: 4, arbitrary: variable }, fileVariable)),
      envFrom: few(fc.tuple(some({ prefix: label }), source).map(([prefix, from]) => ({ ...prefix, ...from }))),
      resources,
      volumeMounts: mountsOf(volumeNames),
      securityContext,
      stdin: flag,
      terminationMessagePath: absolute,
      terminationMessagePolicy: fc.constantFrom('File', 'FallbackToLogsOnError'),
      ...more,
    },
  );

const resizePolicy = named(
  fc.record({ resourceName: fc.constantFrom('cpu', 'memory'), restartPolicy: fc.constant('NotRequired') }),
  'resourceName',
  2,
);

const containersOf = (volumeNames: readonly string[]) =>
  fc.record({
    initContainers: fc.tuple(
      container('prepare', volumeNames, { restartPolicy: fc.constantFrom('Never', 'OnFailure') }),
      container('sidecar', volumeNames, { ...probes, resizePolicy, restartPolicy: fc.constant('Always') }).map(
        (made): Json => ({ ...made, restartPolicy: 'Always' }),
      ),
    ),
    containers: fc.tuple(
      container('main', volumeNames, { ...probes, resizePolicy }),
      container('helper', volumeNames, probes).chain((made) =>
        record({ restartPolicyRules: few(rule) }).map((rules): Json => ({ ...made, ...rules, restartPolicy: 'Never' })),
      ),
    ),
  });

/** Added while it ran. */
const ephemeral = record(
  { name: fc.constant('debug'), image: label },
  {
    imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
    command,
    args: command,
    workingDir: absolute,
    env: few(variable),
    envFrom: few(source),
    volumeMounts: fc.constant([{ name: 'files', mountPath: '/files' }]),
    securityContext,
    stdin: flag,
    targetContainerName: fc.constantFrom('main', 'sidecar'),
    terminationMessagePath: absolute,
    terminationMessagePolicy: fc.constantFrom('File', 'FallbackToLogsOnError'),
  },
);

const sysctls = named(
  fc.record({ name: fc.constantFrom('net.ipv4.tcp_syncookies', 'kernel.shm_rmid_forced'), value: fc.constant('1') }),
  'name',
);

/** What is the pod's own and what it shares with the device; some of it excludes other things. */
const place = fc.oneof(
  some({
    shareProcessNamespace: flag,
    setHostnameAsFQDN: flag,
    hostUsers: flag,
    securityContext: podSecurityContext.chain((context) =>
      sysctls.map((settings) => ({ ...context, sysctls: settings })),
    ),
  }),
  some({ hostnameOverride: label, hostIPC: flag, securityContext: podSecurityContext }),
  some({ hostNetwork: flag, hostPID: flag, hostIPC: flag, setHostnameAsFQDN: flag }),
);

const spec = volumes.chain((made) =>
  fc
    .tuple(
      containersOf(made.map(({ name }) => name)),
      some({
        restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
        terminationGracePeriodSeconds: fc.integer({ min: 5, max: 60 }),
        activeDeadlineSeconds: count,
        hostname: label,
        subdomain: label,
        hostAliases: few(record({ ip: fc.ipV4(), hostnames: few(label) })),
        dnsPolicy: fc.constantFrom('ClusterFirst', 'ClusterFirstWithHostNet', 'Default'),
        dnsConfig: some({
          nameservers: few(fc.ipV4()),
          searches: few(label),
          options: few(record({ name: label }, { value: label })),
        }),
        priority: fc.integer({ min: -100, max: 100 }),
        priorityClassName: label,
        readinessGates: few(record({ conditionType: label })),
        resources: some({ limits: fc.record({ cpu: fc.constant('100'), memory: fc.constant('64Gi') }) }),
        overhead: some({ cpu, memory: bytes }),
        ephemeralContainers: few(ephemeral, 1),
      }),
      place,
    )
    .map(([containers, more, where]): Json => ({ ...more, ...where, ...containers, volumes: made })),
);

/** Pods Kubernetes would take. */
export const anyPod: fc.Arbitrary<Json> = fc
  .record({
    metadata: record(
      { name: label },
      {
        namespace: label,
        labels: fc.dictionary(label, label, { maxKeys: 3 }),
        annotations: fc.dictionary(label, text, { maxKeys: 3 }),
        generation: count,
        creationTimestamp: fc.constant('2026-01-31T12:00:00Z'),
      },
    ),
    spec,
  })
  .map((pod): Json => ({ apiVersion: 'v1', kind: 'Pod', ...pod }));
