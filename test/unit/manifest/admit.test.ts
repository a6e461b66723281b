/** What becomes of a manifest as a whole: defaults, warnings, deletion, identity, digests. Single refusals: refused-*. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admitPod, identityErrors, readTombstone } from '../../../src/manifest/admit.ts';
import { manifestDigest, specDigest } from '../../../src/manifest/digest.ts';
import { admitted, errorsOf, fixture, type Json, rawPod } from './fixtures.ts';

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
