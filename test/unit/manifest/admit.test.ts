import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admitPod, identityErrors, readTombstone } from '../../../src/manifest/admit.ts';
import { manifestDigest, specDigest } from '../../../src/manifest/digest.ts';
import { admitted, errorsOf, fixture, type Json, rawPod } from './fixtures.ts';

/** `path: reason` of every error. */
const lines = (raw: unknown) => errorsOf(raw).map(({ path, reason }) => `${path}: ${reason}`);

const CONTAINER_DEFAULTS = {
  env: [],
  envFrom: [],
  ports: [],
  resources: {},
  resizePolicy: [],
  restartPolicyRules: [],
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};
const MOUNT_DEFAULTS = { readOnly: false, recursiveReadOnly: 'Disabled', mountPropagation: 'None' };

describe('accepted', () => {
  test('the two-container pod, with every default', () => {
    assert.deepEqual(admitted(fixture('two-containers.yaml')), {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'two-containers', namespace: 'default' },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 30,
        initContainers: [],
        hostNetwork: false,
        hostPID: false,
        hostIPC: false,
        hostUsers: true,
        shareProcessNamespace: false,
        setHostnameAsFQDN: false,
        hostAliases: [],
        dnsPolicy: 'ClusterFirst',
        priority: 0,
        readinessGates: [],
        volumes: [{ name: 'shared-data', hostPath: { path: '/data', type: '' } }],
        containers: [
          {
            name: 'nginx-container',
            image: 'nginx',
            imagePullPolicy: 'Always',
            ...CONTAINER_DEFAULTS,
            volumeMounts: [{ name: 'shared-data', mountPath: '/usr/share/nginx/html', ...MOUNT_DEFAULTS }],
          },
          {
            name: 'debian-container',
            image: 'debian',
            imagePullPolicy: 'Always',
            command: ['/bin/sh'],
            args: ['-c', 'echo Hello from the debian container > /pod-data/index.html'],
            ...CONTAINER_DEFAULTS,
            volumeMounts: [{ name: 'shared-data', mountPath: '/pod-data', ...MOUNT_DEFAULTS }],
          },
        ],
      },
    });
  });

  test('what kubectl prints, without a warning', () => {
    const result = admitPod(fixture('kubectl-run.json'));
    assert.ok('pod' in result);
    assert.deepEqual(result.warnings, []);
    assert.deepEqual(result.pod.metadata, { name: 'web', namespace: 'default', labels: { app: 'web' } });
    assert.deepEqual(result.pod.spec.containers[0]?.ports, [{ containerPort: 80, protocol: 'TCP' }]);
    assert.equal(result.pod.spec.containers[0]?.imagePullPolicy, 'IfNotPresent');
  });

  test('every supported field, without a warning', () => {
    const result = admitPod(fixture('every-field.yaml'));
    assert.ok('pod' in result, JSON.stringify(result));
    assert.deepEqual(result.warnings, []);
    const [main] = result.pod.spec.containers;
    assert.deepEqual(main?.resources, {
      limits: { cpu: '500m', memory: '64Mi' },
      requests: { cpu: '0.25', memory: '64Mi' },
    });
    assert.deepEqual(main?.ports, [
      { name: 'http', containerPort: 8080, hostPort: 8080, protocol: 'TCP' },
      { containerPort: 5353, hostPort: 5353, protocol: 'UDP' },
    ]);
    assert.deepEqual(main?.env[2], { name: 'EMPTY', value: '' });
    assert.deepEqual(result.pod.spec.volumes[3], { name: 'empty', emptyDir: {} });
  });

  const silent: [string, Json][] = [
    [
      'nulls everywhere',
      rawPod({ volumes: null, hostNetwork: null, nodeSelector: null }, { env: null, livenessProbe: null }),
    ],
    [
      'values a server fills in',
      rawPod({ schedulerName: 'default-scheduler', dnsPolicy: 'ClusterFirst', priority: 0 }),
    ],
    ['empty strings', rawPod({ restartPolicy: '', hostname: '' }, { workingDir: '', imagePullPolicy: '' })],
    ['explicit defaults', rawPod({ hostPID: false, hostUsers: true, os: { name: 'linux' } }, { tty: false })],
    ['the profile there is', rawPod({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } })],
    ['a status', { ...rawPod(), status: { phase: 'Running' } }],
    ['bookkeeping', { ...rawPod(), metadata: { name: 'p', uid: 'u', resourceVersion: '1', managedFields: [{}] } }],
  ];
  for (const [what, raw] of silent)
    test(`${what}: without a word`, () => {
      const result = admitPod(raw);
      assert.ok('pod' in result, JSON.stringify(result));
      assert.deepEqual(result.warnings, []);
    });

  const warned: [string, Json, string][] = [
    ['scheduling', rawPod({ nodeSelector: { disk: 'ssd' } }), 'spec.nodeSelector'],
    ['service account', rawPod({ serviceAccountName: 'robot' }), 'spec.serviceAccountName'],
    ['a priority class of somebody', rawPod({ priorityClassName: 'high' }), 'spec.priorityClassName'],
    ['one variable twice', rawPod({}, { env: [{ name: 'A' }, { name: 'A' }] }), 'spec.containers[0].env[1].name'],
  ];
  for (const [what, raw, path] of warned)
    test(`${what}: with a warning`, () => {
      const result = admitPod(raw);
      assert.ok('pod' in result, JSON.stringify(result));
      assert.deepEqual(
        result.warnings.map((warning) => warning.path.replace('.ephemeral-storage', '[ephemeral-storage]')),
        [path],
      );
    });

  const policies: [string, string][] = [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['host:5000/nginx', 'Always'],
    ['host:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
    [`nginx:latest@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ];
  for (const [image, policy] of policies)
    test(`pull policy of ${image.slice(0, 30)}`, () =>
      assert.equal(admitted(rawPod({}, { image })).spec.containers[0]?.imagePullPolicy, policy));

  test('the namespace of the topic is the default', () => {
    const result = admitPod(rawPod(), { namespace: 'shop' });
    assert.ok('pod' in result);
    assert.equal(result.pod.metadata.namespace, 'shop');
  });
});

describe('refused', () => {
  const meta = (metadata: unknown) => ({ ...rawPod(), metadata });
  const c = 'spec.containers[0]';
  const volume = (source: Json) => rawPod({ volumes: [{ name: 'v', ...source }] });
  const mount = (fields: Json) =>
    rawPod({ volumes: [{ name: 'v' }] }, { volumeMounts: [{ name: 'v', mountPath: '/v', ...fields }] });
  const resources = (fields: Json) => rawPod({}, { resources: fields });
  const security = (fields: Json) => rawPod({}, { securityContext: fields });
  const port = (fields: Json, spec: Json = {}) => rawPod(spec, { ports: [{ containerPort: 80, ...fields }] });

  const rows: [string, unknown, string | RegExp][] = [
    ['no object', 'text', /^: Invalid value: must be a Pod object/],
    ['no kind', { ...rawPod(), kind: undefined }, 'kind: Required value: must be "Pod"'],
    [
      'another kind',
      { ...rawPod(), kind: 'Deployment' },
      'kind: Unsupported value: "Deployment": supported values: "Pod"',
    ],
    [
      'another version',
      { ...rawPod(), apiVersion: 'v2' },
      'apiVersion: Unsupported value: "v2": supported values: "v1"',
    ],
    ['no spec', { ...rawPod(), spec: null }, 'spec: Required value'],
    ['no metadata', meta(undefined), 'metadata: Required value'],
    ['no name', meta({}), 'metadata.name: Required value'],
    ['a name that is a path', meta({ name: '../x' }), /^metadata\.name: Invalid value: "\.\.\/x": must be lower-case/],
    [
      'a name too long for a log directory',
      meta({ name: 'a'.repeat(211) }),
      /^metadata\.name: .* together with its namespace/,
    ],
    ['a namespace that is none', meta({ name: 'p', namespace: 'a.b' }), /^metadata\.namespace: Invalid value: "a\.b"/],
    ['a label that is none', meta({ name: 'p', labels: { a: '-' } }), /^metadata\.labels\.a: Invalid value: "-"/],
    [
      'a label key that is none',
      meta({ name: 'p', labels: { 'a/b/c': '' } }),
      /^metadata\.labels: Invalid value: "a\/b\/c"/,
    ],
    [
      'a label that is no string',
      meta({ name: 'p', labels: { 'x/a': 1 } }),
      /^metadata\.labels\[x\/a\]: Invalid value: got a number/,
    ],
    ['a generation that is none', meta({ name: 'p', generation: 1.5 }), /^metadata\.generation: Invalid value: 1\.5/],
    [
      'a time that is none',
      meta({ name: 'p', creationTimestamp: 'now' }),
      /^metadata\.creationTimestamp: Invalid value: "now"/,
    ],

    ['an unknown field', rawPod({ foo: 1 }), 'spec.foo: unknown field'],
    [
      'a typing error',
      rawPod({ restartpolicy: 'Never' }),
      'spec.restartpolicy: unknown field: did you mean "restartPolicy"?',
    ],
    ['a typing error inside', rawPod({}, { comand: ['x'] }), `${c}.comand: unknown field: did you mean "command"?`],
    [
      '__proto__',
      JSON.parse(
        '{"apiVersion":"v1","kind":"Pod","__proto__":{"a":1},"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}',
      ),
      '__proto__: unknown field',
    ],
    ['constructor', rawPod({ constructor: {} }), 'spec.constructor: unknown field'],
    ['a key with a control character', rawPod({ 'a\u001b[': 1 }), 'spec["a\\u001b["]: unknown field'],
    [
      'own DNS',
      rawPod({ dnsPolicy: 'None' }),
      'spec.dnsConfig: Required value: with at least one nameserver when dnsPolicy is None',
    ],
    [
      'an empty probe',
      rawPod({}, { livenessProbe: {} }),
      `${c}.livenessProbe: Required value: must specify one of: exec, httpGet, tcpSocket, grpc`,
    ],
    [
      'a value from elsewhere',
      rawPod({}, { env: [{ name: 'A', valueFrom: {} }] }),
      `${c}.env[0].valueFrom: Required value: must specify one of: fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef`,
    ],
    [
      'a seccomp profile without its file',
      security({ seccompProfile: { type: 'Localhost' } }),
      /seccompProfile\.localhostProfile: Required value/,
    ],

    ['no containers', rawPod({ containers: [] }), 'spec.containers: Required value'],
    [
      'containers that are no list',
      rawPod({ containers: {} }),
      'spec.containers: Invalid value: got an object, expected a list',
    ],
    ['a container that is nothing', rawPod({ containers: [null] }), 'spec.containers[0]: Required value'],
    [
      'too many containers',
      rawPod({ containers: Array(33).fill({}) }),
      'spec.containers: Too many: 33: must have at most 32 items',
    ],
    ['no image', rawPod({}, { image: undefined }), `${c}.image: Required value`],
    [
      'an image with a space',
      rawPod({}, { image: 'a b' }),
      `${c}.image: Invalid value: "a b": must not contain white space`,
    ],
    [
      'an image too long',
      rawPod({}, { image: 'a'.repeat(513) }),
      /image: Invalid value: "a{80}"…: must be no more than 512/,
    ],
    ['a container name that is none', rawPod({}, { name: 'A' }), /^spec\.containers\[0\]\.name: Invalid value: "A"/],
    [
      'two containers of one name',
      rawPod({
        containers: [
          { name: 'c', image: 'i' },
          { name: 'c', image: 'i' },
        ],
      }),
      'spec.containers[1].name: Duplicate value: "c"',
    ],
    [
      'a pull policy that is none',
      rawPod({}, { imagePullPolicy: 'always' }),
      `${c}.imagePullPolicy: Unsupported value: "always": supported values: "Always", "IfNotPresent", "Never"`,
    ],
    [
      'a restart policy that is none',
      rawPod({ restartPolicy: 'Sometimes' }),
      /^spec\.restartPolicy: Unsupported value: "Sometimes"/,
    ],
    [
      'a negative grace period',
      rawPod({ terminationGracePeriodSeconds: -1 }),
      /^spec\.terminationGracePeriodSeconds: Invalid value: -1/,
    ],
    ['a hostname that is none', rawPod({ hostname: 'a.b' }), /^spec\.hostname: Invalid value: "a\.b"/],
    [
      'false for a string',
      rawPod({}, { workingDir: false }),
      /workingDir: Invalid value: got a boolean, expected a string/,
    ],
    [
      'a relative directory',
      rawPod({}, { workingDir: 'srv' }),
      `${c}.workingDir: Invalid value: "srv": must be an absolute path`,
    ],
    [
      'a word that is no string',
      rawPod({}, { command: ['a', 1] }),
      /command\[1\]: Invalid value: got a number, expected a string/,
    ],
    [
      'a word with NUL',
      rawPod({}, { args: ['a\0b'] }),
      `${c}.args[0]: Invalid value: must not contain a NUL character`,
    ],
    [
      'a word beyond the kernel',
      rawPod({}, { args: ['x'.repeat(131_072)] }),
      `${c}.args[0]: Too long: must be less than 128 KiB`,
    ],

    ['a variable without a name', rawPod({}, { env: [{ value: 'x' }] }), `${c}.env[0].name: Required value`],
    ['a variable name with =', rawPod({}, { env: [{ name: 'a=b' }] }), /env\[0\]\.name: Invalid value: "a=b"/],
    [
      'a number for a value',
      rawPod({}, { env: [{ name: 'A', value: 1 }] }),
      /env\[0\]\.value: Invalid value: got a number, expected a string \(in YAML/,
    ],
    [
      'too many words together',
      rawPod({}, { env: [{ name: 'A', value: 'x'.repeat(60_000) }], args: Array(20).fill('$(A)') }),
      'spec.containers[0].args[7]: Too long: env, command and args are more than 524288 bytes together',
    ],
    [
      'doubling variables',
      rawPod(
        {},
        { env: Array.from({ length: 20 }, (_, i) => ({ name: `V${i}`, value: `xxxx$(V${i - 1})$(V${i - 1})` })) },
      ),
      /env\[\d+\]\.value: Too long: expands to more than 128 KiB/,
    ],

    ['no port', port({ containerPort: undefined }), `${c}.ports[0].containerPort: Required value`],
    [
      'port 0',
      port({ containerPort: 0 }),
      `${c}.ports[0].containerPort: Invalid value: 0: must be a whole number from 1 to 65535`,
    ],
    [
      'a port as text',
      port({ containerPort: '80' }),
      /containerPort: Invalid value: got a string, expected a whole number/,
    ],
    ['a protocol that is none', port({ protocol: 'tcp' }), /protocol: Unsupported value: "tcp"/],
    ['a port name that is none', port({ name: '80' }), /ports\[0\]\.name: Invalid value: "80"/],
    [
      'two ports of one name',
      rawPod(
        {},
        {
          ports: [
            { name: 'a', containerPort: 1 },
            { name: 'a', containerPort: 2 },
          ],
        },
      ),
      `${c}.ports[1].name: Duplicate value: "a"`,
    ],
    ['a host port beyond the last', port({ hostPort: 70_000 }), /ports\[0\]\.hostPort: Invalid value: 70000/],
    [
      'a host port that is another',
      port({ hostPort: 81 }, { hostNetwork: true }),
      /hostPort: Invalid value: 81: must be the containerPort \(80\)/,
    ],
    [
      'one host port twice',
      rawPod({ hostNetwork: true }, { ports: [{ containerPort: 1 }, { containerPort: 1 }] }),
      `${c}.ports[1].hostPort: Duplicate value: 1`,
    ],

    [
      'more asked for than allowed',
      resources({ limits: { cpu: 1 }, requests: { cpu: 2 } }),
      `${c}.resources.requests.cpu: Invalid value: "2": must be less than or equal to cpu limit of 1`,
    ],
    [
      'a negative amount',
      resources({ limits: { cpu: '-1' } }),
      /limits\.cpu: Invalid value: "-1": must be greater than or equal to 0/,
    ],
    [
      'an amount that is none',
      resources({ limits: { memory: '64MB' } }),
      /limits\.memory: Invalid value: "64MB": must be a quantity/,
    ],
    [
      'thousandths of bytes',
      resources({ limits: { memory: '512m' } }),
      /limits\.memory: Invalid value: "512m": must be a whole number of bytes/,
    ],
    ['too much', resources({ limits: { cpu: 100_001 } }), /limits\.cpu: Invalid value: "100001": must be no more than/],
    [
      'huge pages',
      resources({ limits: { 'hugepages-2Mi': '2Mi' } }),
      /limits\.hugepages-2Mi: not supported: huge pages/,
    ],

    ['user -1', security({ runAsUser: -1 }), /runAsUser: Invalid value: -1/],
    [
      'user 2^31',
      security({ runAsUser: 2 ** 31 }),
      /runAsUser: Invalid value: 2147483648: must be a whole number from 0 to 2147483647/,
    ],
    [
      'user 2^32',
      rawPod({ securityContext: { runAsUser: 2 ** 32 } }),
      /^spec\.securityContext\.runAsUser: Invalid value: 4294967296/,
    ],
    ['user ""', security({ runAsUser: '' }), /runAsUser: Invalid value: got a string/],
    ['user " 0"', security({ runAsUser: ' 0' }), /runAsUser: Invalid value: got a string/],
    ['user "0x0"', security({ runAsUser: '0x0' }), /runAsUser: Invalid value: got a string/],
    ['a user in part', security({ runAsUser: 0.5 }), /runAsUser: Invalid value: 0\.5/],
    [
      'a capability that is none',
      security({ capabilities: { add: ['EVERYTHING'] } }),
      /capabilities\.add\[0\]: Unsupported value: "EVERYTHING"/,
    ],
    [
      'privileged without escalation',
      security({ privileged: true, allowPrivilegeEscalation: false }),
      /allowPrivilegeEscalation: Invalid value: false: cannot be false when privileged/,
    ],
    [
      'SYS_ADMIN without escalation',
      security({ capabilities: { add: ['CAP_SYS_ADMIN'] }, allowPrivilegeEscalation: false }),
      /cannot be false when capabilities\.add has SYS_ADMIN/,
    ],
    [
      'a forced non-root who is root',
      security({ runAsNonRoot: true, runAsUser: 0 }),
      /runAsUser: Invalid value: 0: must not be 0 \(root\)/,
    ],
    [
      'sysctls',
      rawPod({ securityContext: { sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1+kernel.core_pattern=x' }] } }),
      /^spec\.securityContext\.sysctls\[0\]\.value: Invalid value: .*must be numbers/,
    ],

    [
      'two volumes of one name',
      rawPod({ volumes: [{ name: 'v' }, { name: 'v' }] }),
      'spec.volumes[1].name: Duplicate value: "v"',
    ],
    [
      'a volume of two kinds',
      volume({ emptyDir: {}, hostPath: { path: '/x' } }),
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type (there is emptyDir)',
    ],
    [
      'a volume of a kind we lack',
      volume({ nfs: {} }),
      'spec.volumes[0].nfs: not supported: network and plug-in storage is not available; mount it on the device and use hostPath',
    ],
    [
      'a volume of an unknown kind',
      volume({ emptydir: {} }),
      'spec.volumes[0].emptydir: unknown field: did you mean "emptyDir"?',
    ],
    ['a medium that is none', volume({ emptyDir: { medium: 'HugePages' } }), /medium: Unsupported value: "HugePages"/],
    ['0 for a medium', volume({ emptyDir: { medium: 0 } }), /medium: Invalid value: got a number/],
    ['a host path without a path', volume({ hostPath: {} }), 'spec.volumes[0].hostPath.path: Required value'],
    [
      'a host path with ..',
      volume({ hostPath: { path: '/a/../b' } }),
      /hostPath\.path: Invalid value: "\/a\/\.\.\/b": must not contain '\.\.'/,
    ],
    [
      'a relative host path',
      volume({ hostPath: { path: 'a' } }),
      /hostPath\.path: Invalid value: "a": must be an absolute path/,
    ],
    [
      'a host path of an unknown type',
      volume({ hostPath: { path: '/a', type: 'Dir' } }),
      /hostPath\.type: Unsupported value: "Dir"/,
    ],

    [
      'a mount of no volume',
      mount({ name: 'w' }),
      `${c}.volumeMounts[0].name: Not found: "w": there is no such volume in spec.volumes`,
    ],
    ['a mount nowhere', mount({ mountPath: '' }), `${c}.volumeMounts[0].mountPath: Required value`],
    ['a mount over everything', mount({ mountPath: '//' }), /mountPath: Invalid value: "\/\/": must not be the root/],
    ['a mount in /proc', mount({ mountPath: '/./proc//self/attr' }), /mountPath: .*must not be in \/proc/],
    ['a relative mount', mount({ mountPath: 'v' }), /mountPath: Invalid value: "v": must be an absolute path/],
    ['a mount with ..', mount({ mountPath: '/v/..' }), /mountPath: .*must not contain '\.\.'/],
    ['an absolute subPath', mount({ subPath: '/etc' }), /subPath: Invalid value: "\/etc": must be a relative path/],
    ['a subPath with ..', mount({ subPath: 'a/../../b' }), /subPath: .*must not contain '\.\.'/],
    [
      'two mounts in one place',
      rawPod(
        { volumes: [{ name: 'v' }] },
        {
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'v', mountPath: '/v/' },
          ],
        },
      ),
      `${c}.volumeMounts[1].mountPath: Duplicate value: "/v/"`,
    ],
  ];
  for (const [what, raw, expected] of rows)
    test(what, () => {
      const found = lines(raw);
      const matching = found.filter((line) => (typeof expected === 'string' ? line === expected : expected.test(line)));
      assert.ok(matching.length > 0, JSON.stringify(found));
      assert.equal(found.length, matching.length, JSON.stringify(found));
    });

  test('all that is wrong at once', () => {
    const raw = { ...rawPod({ restartPolicy: 'x', foo: 1 }, { image: '', name: '_' }), metadata: {} };
    const paths = errorsOf(raw).map(({ path }) => path);
    assert.deepEqual(paths.sort(), [
      'metadata.name',
      'spec.containers[0].image',
      'spec.containers[0].name',
      'spec.foo',
      'spec.restartPolicy',
    ]);
  });

  test('but not without end', () => {
    const raw = rawPod(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`, i])));
    const errors = errorsOf(raw);
    assert.equal(errors.length, 64);
    assert.match(errors[63]?.reason ?? '', /Too many problems/);
    assert.ok(
      JSON.stringify(errorsOf(rawPod({ ['x'.repeat(100_000)]: 1, hostname: 'y'.repeat(100_000) }))).length < 1000,
    );
  });
});

describe('deletion', () => {
  const metadata = {
    name: 'p',
    namespace: 'n',
    deletionTimestamp: '2026-01-31T12:00:00Z',
    deletionGracePeriodSeconds: 1,
  };

  test('needs no spec, or a good one', () => {
    const expected = { metadata };
    assert.deepEqual(readTombstone({ apiVersion: 'v1', kind: 'Pod', metadata }), expected);
    assert.deepEqual(
      readTombstone({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: 'none' } }),
      expected,
    );
  });

  test('is asked for by a deletionTimestamp only', () => {
    assert.equal(readTombstone(rawPod()), undefined);
    assert.equal(readTombstone({ ...rawPod(), metadata: { name: 'p', deletionTimestamp: null } }), undefined);
    assert.equal(readTombstone('x'), undefined);
  });

  test('with metadata that are valid', () => {
    const result = readTombstone({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', deletionTimestamp: 'now' } });
    assert.ok(result && 'errors' in result);
    assert.equal(result.errors[0]?.path, 'metadata.deletionTimestamp');
  });
});

describe('identity and digests', () => {
  test('a manifest is the one its topic names', () => {
    const { metadata } = admitted(rawPod());
    assert.deepEqual(identityErrors(metadata, { namespace: 'default', name: 'p' }), []);
    assert.deepEqual(
      identityErrors(metadata, { namespace: 'n', name: 'q' }).map(({ path }) => path),
      ['metadata.namespace', 'metadata.name'],
    );
  });

  test('digests know meaning, not spelling', () => {
    const pod = admitted(rawPod({ restartPolicy: 'Never', hostNetwork: false }));
    const same = admitted(rawPod({ restartPolicy: 'Never' }, { env: [], imagePullPolicy: 'Always' }));
    const labelled = admitted({ ...rawPod({ restartPolicy: 'Never' }), metadata: { name: 'p', labels: { a: 'b' } } });
    const other = admitted(rawPod());
    assert.equal(specDigest(pod), specDigest(same));
    assert.equal(manifestDigest(pod), manifestDigest(same));
    assert.equal(specDigest(pod), specDigest(labelled));
    assert.notEqual(manifestDigest(pod), manifestDigest(labelled));
    assert.notEqual(specDigest(pod), specDigest(other));
    assert.match(specDigest(pod), /^[0-9a-f]{64}$/);
  });
});
