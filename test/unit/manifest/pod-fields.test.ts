import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Json, rawPod } from './fixtures.ts';
import { type Refusal, refusalLines, refusals } from './refusals.ts';

const C = 'spec.containers[0]';
const I = 'spec.initContainers[0]';
const V = 'spec.volumes[0]';

const container = (fields: Json) => rawPod({}, fields);
const init = (fields: Json, spec: Json = {}) =>
  rawPod({ initContainers: [{ name: 'i', image: 'i', ...fields }], ...spec });
const probe = (fields: Json, kind = 'livenessProbe') =>
  container({ ports: [{ name: 'http', containerPort: 80 }], [kind]: { tcpSocket: { port: 'http' }, ...fields } });
const hook = (fields: Json) => container({ lifecycle: { preStop: fields } });
const env = (valueFrom: Json, value?: string) => container({ env: [{ name: 'A', value, valueFrom }] });
const volume = (source: Json) => rawPod({ volumes: [{ name: 'v', ...source }] });
const security = (fields: Json, spec: Json = {}) => rawPod(spec, { securityContext: fields });
const pod = (fields: Json, spec: Json = {}) => rawPod({ securityContext: fields, ...spec });
const sysctl = (name: string, value: unknown, spec: Json = {}) => pod({ sysctls: [{ name, value }] }, spec);
const mount = (fields: Json, more: Json = {}) =>
  rawPod({ volumes: [{ name: 'v' }] }, { volumeMounts: [{ name: 'v', mountPath: '/v', ...fields }], ...more });
const projected = (...sources: Json[]) => volume({ projected: { sources } });
const rules = (rule: Json) => container({ restartPolicy: 'Never', restartPolicyRules: [rule] });
const codes = { operator: 'In', values: [1] };

describe('accepted', () => {
  const rows: [string, unknown][] = [
    ['a probe with zeros', probe({ timeoutSeconds: 0, periodSeconds: 0, failureThreshold: 0 })],
    ['a readiness probe that takes two', probe({ successThreshold: 2 }, 'readinessProbe')],
    ['a grpc probe', container({ livenessProbe: { grpc: { port: 1, service: null } } })],
    [
      'a sidecar with everything',
      init({
        restartPolicy: 'Always',
        startupProbe: { exec: { command: ['x'] } },
        lifecycle: { stopSignal: 'SIGUSR1' },
      }),
    ],
    ['a hook that does not sleep', hook({ sleep: { seconds: 0 } })],
    ['a real-time signal', container({ lifecycle: { stopSignal: 'SIGRTMIN+3' } })],
    ['an annotation', env({ fieldRef: { fieldPath: "metadata.annotations['Example.com/Note']" } })],
    ['a resource', env({ resourceFieldRef: { resource: 'limits.cpu', divisor: '1m', containerName: 'c' } })],
    ['a divisor of nothing', env({ resourceFieldRef: { resource: 'limits.memory', divisor: '0' } })],
    ['the key of a secret', env({ secretKeyRef: { name: 's', key: 'k', optional: true } })],
    ['all of a ConfigMap', container({ envFrom: [{ prefix: 'P_', configMapRef: { name: 'm' } }] })],
    [
      'every projection',
      projected(
        { configMap: { name: 'm' } },
        { secret: { name: 's' } },
        { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ),
    ],
    ['an image volume', volume({ image: { reference: 'i:1' } })],
    ['safe sysctls', sysctl('net/ipv4/tcp_rmem', '4096 131072\t6291456')],
    ['no reserved ports', sysctl('net.ipv4.ip_local_reserved_ports', '')],
    ['a profile of the device', security({ seccompProfile: { type: 'Localhost', localhostProfile: 'a/b.json' } })],
    ['unmasked with own users', security({ procMount: 'Unmasked' }, { hostUsers: false })],
    [
      'non-root, one of whom is overruled',
      rawPod({ securityContext: { runAsNonRoot: true, runAsUser: 0 } }, { securityContext: { runAsUser: 1 } }),
    ],
    ['read-only all the way', mount({ readOnly: true, recursiveReadOnly: 'Enabled' })],
    ['mounts for the device', mount({ mountPropagation: 'Bidirectional' }, { securityContext: { privileged: true } })],
    [
      'one port on two addresses',
      container({
        ports: [
          { containerPort: 1, hostPort: 9, hostIP: '10.0.0.1' },
          { containerPort: 1, hostPort: 9, hostIP: '10.0.0.2' },
        ],
      }),
    ],
    [
      'init containers that share a port in turn',
      rawPod({
        initContainers: [1, 2].map((n) => ({ name: `i${n}`, image: 'i', ports: [{ containerPort: 1, hostPort: 9 }] })),
      }),
    ],
    ['restart rules', rules({ action: 'Restart', exitCodes: codes })],
    [
      'own DNS',
      rawPod({
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['10.0.0.1', 'fe80::1'],
          searches: ['a_b.example.', '.'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      }),
    ],
    [
      'a pod of one size',
      rawPod({ resources: { limits: { cpu: 1, memory: '64Mi' } } }, { resources: { requests: { cpu: '1' } } }),
    ],
    ['node critical', rawPod({ priorityClassName: 'system-node-critical', priority: 2000001000 })],
  ];
  for (const [what, raw] of rows) test(what, () => assert.deepEqual(refusalLines(raw), []));
});

describe('refused', () => {
  const rows: Refusal[] = [
    [
      'a probe of a plain init container',
      init({ readinessProbe: { exec: { command: ['x'] } } }),
      `${I}.readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always`,
    ],
    [
      'hooks of one',
      init({ restartPolicy: 'OnFailure', lifecycle: {} }),
      `${I}.lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always`,
    ],
    ['one name twice, init and not', init({ name: 'c' }), `${C}.name: Duplicate value: "c"`],
    [
      'two ways to ask',
      probe({ exec: { command: ['x'] } }),
      `${C}.livenessProbe.tcpSocket: Forbidden: may not be specified with exec`,
    ],
    [
      'a port nobody named',
      container({ livenessProbe: { httpGet: { port: 'http' } } }),
      `${C}.livenessProbe.httpGet.port: Not found: "http": the container has no port of that name`,
    ],
    [
      'port 0',
      container({ livenessProbe: { tcpSocket: { port: 0 } } }),
      /tcpSocket\.port: Invalid value: 0: must be a whole number from 1/,
    ],
    ['no port', container({ livenessProbe: { grpc: {} } }), `${C}.livenessProbe.grpc.port: Required value`],
    ['nothing to run', container({ livenessProbe: { exec: {} } }), `${C}.livenessProbe.exec.command: Required value`],
    [
      'liveness that takes two',
      probe({ successThreshold: 2 }),
      `${C}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
    ],
    [
      'grace of readiness',
      probe({ terminationGracePeriodSeconds: 5 }, 'readinessProbe'),
      /must not be set for readinessProbes$/,
    ],
    [
      'no grace at all',
      probe({ terminationGracePeriodSeconds: 0 }),
      /livenessProbe\.terminationGracePeriodSeconds: Invalid value: 0/,
    ],
    ['a negative period', probe({ periodSeconds: -1 }), /livenessProbe\.periodSeconds: Invalid value: -1/],
    [
      'a header that is two',
      container({ livenessProbe: { httpGet: { port: 1, httpHeaders: [{ name: 'A', value: 'x\r\nB: y' }] } } }),
      /httpHeaders\[0\]\.value: .*must be one line$/,
    ],
    [
      'a scheme that is none',
      container({ livenessProbe: { httpGet: { port: 1, scheme: 'https' } } }),
      /scheme: Unsupported value: "https"/,
    ],
    [
      'a hook that does nothing',
      hook({}),
      `${C}.lifecycle.preStop: Required value: must specify one of: exec, httpGet, tcpSocket, sleep`,
    ],
    [
      'a hook beyond the grace',
      hook({ sleep: { seconds: 31 } }),
      `${C}.lifecycle.preStop.sleep.seconds: Invalid value: 31: must be no more than terminationGracePeriodSeconds (30)`,
    ],
    [
      'a signal that is none',
      container({ lifecycle: { stopSignal: 'TERM' } }),
      /stopSignal: Invalid value: "TERM": must be the name of a signal/,
    ],
    [
      'a value twice',
      env({ fieldRef: { fieldPath: 'metadata.name' } }, 'x'),
      /env\[0\]\.valueFrom: Forbidden: may not be specified when `value`/,
    ],
    [
      'a field that is not told',
      env({ fieldRef: { fieldPath: 'status.phase' } }),
      /fieldPath: Unsupported value: "status\.phase"/,
    ],
    [
      'a label with an odd key',
      env({ fieldRef: { fieldPath: "metadata.labels['-']" } }),
      /fieldPath: Invalid value: .*the key must be/,
    ],
    [
      'a file of what only a variable is told',
      volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'status.podIP' } }] } }),
      /fieldPath: Unsupported value: "status\.podIP"/,
    ],
    [
      'a divisor that is none',
      env({ resourceFieldRef: { resource: 'limits.cpu', divisor: '1Mi' } }),
      /divisor: Unsupported value: "1Mi": supported values: "1m", "1"/,
    ],
    [
      'a resource that is none',
      env({ resourceFieldRef: { resource: 'limits.gpu' } }),
      /resource: Unsupported value: "limits\.gpu"/,
    ],
    [
      'a container that is not there',
      env({ resourceFieldRef: { resource: 'limits.cpu', containerName: 'x' } }),
      /containerName: Not found: "x"/,
    ],
    [
      'a file without a container',
      volume({ downwardAPI: { items: [{ path: 'a', resourceFieldRef: { resource: 'limits.cpu' } }] } }),
      /resourceFieldRef\.containerName: Required value$/,
    ],
    [
      'a variable of a file that is nowhere',
      env({ fileKeyRef: { volumeName: 'x', path: 'p', key: 'K' } }),
      `${C}.env[0].valueFrom.fileKeyRef.volumeName: Not found: "x": there is no such volume in spec.volumes`,
    ],
    [
      'a variable of a file of somebody else',
      rawPod(
        { volumes: [{ name: 'v', hostPath: { path: '/v' } }] },
        { env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'p', key: 'K' } } }] },
      ),
      `${C}.env[0].valueFrom.fileKeyRef.volumeName: Invalid value: "v": must be an emptyDir`,
    ],
    [
      'nothing to take from',
      container({ envFrom: [{ prefix: 'a' }] }),
      `${C}.envFrom[0]: Required value: must specify one of: configMapRef, secretRef`,
    ],
    ['a nameless ConfigMap', volume({ configMap: {} }), `${V}.configMap.name: Required value`],
    [
      'a path that leads up',
      volume({ secret: { secretName: 's', items: [{ key: 'k', path: '../x' }] } }),
      /items\[0\]\.path: .*must not contain '\.\.'$/,
    ],
    [
      'a path that hides',
      volume({ secret: { secretName: 's', items: [{ key: 'k', path: '..data' }] } }),
      /items\[0\]\.path: .*must not start with '\.\.'$/,
    ],
    [
      'a mode beyond',
      volume({ configMap: { name: 'm', defaultMode: 512 } }),
      /defaultMode: Invalid value: 512: must be a number between 0 and 0777/,
    ],
    [
      'a token',
      projected({ serviceAccountToken: { path: 't' } }),
      `${V}.projected.sources[0].serviceAccountToken: not supported: there is no API server for the pod to talk to`,
    ],
    [
      'two sources in one',
      projected({ configMap: { name: 'm' }, secret: { name: 's' } }),
      /sources\[0\]\.secret: Forbidden/,
    ],
    [
      'one file of two sources',
      projected(...['a', 'b'].map((name) => ({ configMap: { name, items: [{ key: 'k', path: 'p' }] } }))),
      /sources\[1\]\.configMap\.items\[0\]\.path: Duplicate value: "p"/,
    ],
    [
      'a claim',
      volume({ persistentVolumeClaim: { claimName: 'c' } }),
      /persistentVolumeClaim: not supported: .*use hostPath/,
    ],
    ['both subPaths', mount({ subPath: 'a', subPathExpr: 'b' }), /subPathExpr: .*mutually exclusive$/],
    [
      'mounts for the device without trust',
      mount({ mountPropagation: 'Bidirectional' }),
      /mountPropagation: Forbidden: Bidirectional/,
    ],
    [
      'read-only mounts for the device',
      mount({ readOnly: true, mountPropagation: 'Bidirectional' }, { securityContext: { privileged: true } }),
      /mountPropagation: .*must not be Bidirectional when readOnly/,
    ],
    [
      'recursive of what is not',
      mount({ recursiveReadOnly: 'IfPossible' }),
      /recursiveReadOnly: Forbidden: .*when readOnly is true$/,
    ],
    [
      'recursive with propagation',
      mount({ readOnly: true, recursiveReadOnly: 'Enabled', mountPropagation: 'HostToContainer' }),
      /recursiveReadOnly: Forbidden: .*mountPropagation is None/,
    ],
    [
      'rules without a policy',
      container({ restartPolicyRules: [{ action: 'Restart', exitCodes: codes }] }),
      /restartPolicy: Required value: must be specified/,
    ],
    [
      'a rule of no codes',
      rules({ action: 'Restart', exitCodes: { operator: 'In', values: [] } }),
      /exitCodes\.values: Required value$/,
    ],
    [
      'an exit code beyond',
      rules({ action: 'Restart', exitCodes: { operator: 'In', values: [256] } }),
      /values\[0\]: Invalid value: 256/,
    ],
    [
      'a restart that is never',
      rawPod(
        { restartPolicy: 'Never' },
        { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] },
      ),
      /must be "NotRequired" when the pod has restartPolicy Never$/,
    ],
    [
      'root of the pod',
      rawPod({ securityContext: { runAsUser: 0, runAsNonRoot: true } }),
      'spec.securityContext.runAsUser: Invalid value: 0: must not be 0 (root) when runAsNonRoot is true',
    ],
    [
      'root of one container',
      rawPod({ securityContext: { runAsNonRoot: true } }, { securityContext: { runAsUser: 0 } }),
      /^spec\.containers\[0\]\.securityContext\.runAsUser/,
    ],
    ['unmasked without own users', security({ procMount: 'Unmasked' }), /procMount: .*hostUsers must be false/],
    [
      'a profile without its place',
      pod({ appArmorProfile: { type: 'Localhost' } }),
      /appArmorProfile\.localhostProfile: Required value/,
    ],
    [
      'a place without its profile',
      pod({ seccompProfile: { type: 'Unconfined', localhostProfile: 'x' } }),
      /can only be set when type is Localhost$/,
    ],
    [
      'a profile that leads up',
      pod({ seccompProfile: { type: 'Localhost', localhostProfile: '../x' } }),
      /must not contain '\.\.'$/,
    ],
    [
      'a sysctl of the device',
      sysctl('kernel.core_pattern', '1'),
      /sysctls\[0\]\.name: Forbidden: it belongs to the whole device/,
    ],
    ['two lines', sysctl('kernel.shm_rmid_forced', '1\nkernel.core_pattern=x'), /sysctls\[0\]\.value: Invalid value/],
    ['a sysctl as a number', sysctl('kernel.shm_rmid_forced', 1), /sysctls\[0\]\.value: Invalid value: got a number/],
    [
      "the device's network",
      sysctl('net.ipv4.tcp_syncookies', '1', { hostNetwork: true }),
      /may not be set with hostNetwork$/,
    ],
    ["the device's memory", sysctl('kernel.shm_rmid_forced', '1', { hostIPC: true }), /may not be set with hostIPC$/],
    [
      'own users on the network of the device',
      rawPod({ hostUsers: false, hostNetwork: true }),
      'spec.hostNetwork: Forbidden: may not be true when hostUsers is false',
    ],
    [
      'two ways to share processes',
      rawPod({ hostPID: true, shareProcessNamespace: true }),
      /^spec\.shareProcessNamespace: Invalid value: true/,
    ],
    [
      'no address for a name',
      rawPod({ hostAliases: [{ hostnames: ['a'] }] }),
      'spec.hostAliases[0].ip: Required value',
    ],
    [
      'four nameservers',
      rawPod({ dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }),
      /nameservers: Too many: 4: must have at most 3/,
    ],
    [
      'an option of two lines',
      rawPod({ dnsConfig: { options: [{ name: 'a\nnameserver' }] } }),
      /options\[0\]\.name: Invalid value/,
    ],
    ['a deadline of nothing', rawPod({ activeDeadlineSeconds: 0 }), /^spec\.activeDeadlineSeconds: Invalid value: 0/],
    [
      'less than its containers',
      rawPod({ resources: { requests: { cpu: 1 } } }, { resources: { requests: { cpu: 2 } } }),
      /^spec\.resources\.requests\.cpu: .*what the containers ask for, 2$/,
    ],
    [
      'a container beyond its pod',
      rawPod({ resources: { limits: { cpu: 1 } } }, { resources: { limits: { cpu: 2 }, requests: { cpu: 0 } } }),
      `${C}.resources.limits.cpu: Invalid value: "2": must be less than or equal to the pod's limit of 1`,
    ],
    [
      'one port on all addresses and one',
      container({
        ports: [
          { containerPort: 1, hostPort: 9 },
          { containerPort: 2, hostPort: 9, hostIP: '10.0.0.1' },
        ],
      }),
      `${C}.ports[1].hostPort: Duplicate value: 9`,
    ],
    [
      'one port of a sidecar and a container',
      init(
        { restartPolicy: 'Always', ports: [{ containerPort: 1, hostPort: 9 }] },
        { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 1, hostPort: 9 }] }] },
      ),
      `${C}.ports[0].hostPort: Duplicate value: 9`,
    ],
    [
      'a whole name on the network of the device',
      rawPod({ hostnameOverride: 'a.b', hostNetwork: true }),
      'spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true',
    ],
    [
      'a whole name that is made of others',
      rawPod({ hostnameOverride: 'a.b', setHostnameAsFQDN: true }),
      'spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true',
    ],
    ...(
      [
        [
          { lifecycle: { preStop: { sleep: { seconds: 1 } } } },
          '.lifecycle: Forbidden: cannot be set for an Ephemeral Container',
        ],
        [
          { livenessProbe: { tcpSocket: { port: 1 } } },
          '.livenessProbe: Forbidden: cannot be set for an Ephemeral Container',
        ],
        [{ ports: [{ containerPort: 1 }] }, '.ports: Forbidden: cannot be set for an Ephemeral Container'],
        [{ resources: { limits: { cpu: 'x' } } }, '.resources: Forbidden: cannot be set for an Ephemeral Container'],
        [{ restartPolicy: 'Always' }, '.restartPolicy: Forbidden: cannot be set for an Ephemeral Container'],
        [{ name: 'c' }, '.name: Duplicate value: "c"'],
        [{ targetContainerName: 'd' }, '.targetContainerName: Not found: "d": there is no such container'],
        [{ image: undefined }, '.image: Required value'],
      ] as const
    ).map(([fields, expected]): [string, Json, string] => [
      `an ephemeral container with ${JSON.stringify(fields)}`,
      rawPod({ ephemeralContainers: [{ name: 'd', image: 'i', ...fields }] }),
      `spec.ephemeralContainers[0]${expected}`,
    ]),
  ];
  refusals(rows);
});
