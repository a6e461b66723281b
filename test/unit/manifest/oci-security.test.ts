import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ContainerConfigError } from '../../../src/manifest/oci/types.ts';
import { type OciInput, ociConfig } from '../../../src/manifest/oci.ts';
import { isAllowedSysctl } from '../../../src/manifest/sysctls.ts';
import type { Container } from '../../../src/manifest/types/container.ts';
import type { Pod, PodSpec } from '../../../src/manifest/types/pod.ts';
import { admitted, rawPod } from './fixtures.ts';

/** The config of a container, the pod's spec and the container changed after admission. */
function config(spec: Partial<PodSpec> = {}, container: Partial<Container> = {}, more: Partial<OciInput> = {}) {
  const base = admitted(rawPod());
  const pod: Pod = { ...base, metadata: { ...base.metadata, uid: 'U' } };
  pod.spec = { ...pod.spec, ...spec, containers: [{ ...pod.spec.containers[0]!, ...container }] };
  const image = { env: [], entrypoint: ['/x'], cmd: [], workingDir: '/', user: '' };
  return ociConfig({
    pod,
    container: 'c',
    image: { config: image, lowerDirs: ['/l'] },
    variables: new Map(),
    hostname: 'p',
    cgroupsPath: 'x',
    upperDir: '/u',
    workDir: '/w',
    mounts: [],
    etc: { hosts: '/h', hostname: '/n', resolvConf: '/r' },
    nodeMemory: 2 ** 30,
    ...more,
  });
}

const image = (user: string) => ({
  image: { config: { env: [], entrypoint: ['/x'], cmd: [], workingDir: '/', user }, lowerDirs: ['/l'] },
});

test('namespaces: every combination of hostNetwork, hostPID, hostIPC and shareProcessNamespace', () => {
  for (let bits = 0; bits < 16; bits++) {
    const [hostNetwork, hostPID, hostIPC, shareProcessNamespace] = [1, 2, 4, 8].map((bit) => (bits & bit) !== 0);
    const made = config({ hostNetwork, hostPID, hostIPC, shareProcessNamespace } as Partial<PodSpec>);
    const { namespaces } = made.linux;
    const pid = namespaces.find(({ type }) => type === 'pid');
    assert.deepEqual(
      pid,
      hostPID ? undefined : shareProcessNamespace ? { type: 'pid', path: '/infra/pid' } : { type: 'pid' },
    );
    for (const type of ['network', 'ipc', 'uts']) assert.ok(namespaces.find((ns) => ns.type === type)?.path, type);
    for (const type of ['mount', 'cgroup']) assert.equal(namespaces.find((ns) => ns.type === type)?.path, undefined);
    assert.equal(
      made.mounts.find(({ destination }) => destination === '/dev/shm')?.source,
      hostIPC ? '/dev/shm' : 'shm',
    );
  }
});

describe('runAsNonRoot', () => {
  const secure = { securityContext: { runAsNonRoot: true } };
  const rows: [string, Partial<Container>, string, string][] = [
    [
      'runAsUser 0',
      { securityContext: { runAsNonRoot: true, runAsUser: 0 } },
      '1000',
      "container's runAsUser breaks non-root policy",
    ],
    ['an image without a user', secure, '', 'container has runAsNonRoot and image will run as root'],
    ['an image of user 0', secure, '0:5', 'container has runAsNonRoot and image will run as root'],
    ['an image of user 000', secure, '000', 'container has runAsNonRoot and image will run as root'],
  ];
  for (const [what, container, user, message] of rows)
    test(`${what} is refused in the kubelet's words`, () =>
      assert.throws(
        () => config({}, container, image(user)),
        new ContainerConfigError(`${message} (pod: "p_default(U)", container: c)`),
      ));

  for (const user of ['1000', 'app', 'root'])
    test(`an image of user ${user} is left to the runner, which knows the number`, () =>
      assert.equal(config({}, secure, image(user)).annotations['io.edgepod.user.non-root'], 'true'));
});

test('supplementalGroups and fsGroup, each once; Strict', () => {
  const groups = { supplementalGroups: [10, 20, 10], fsGroup: 20 };
  assert.deepEqual(config({ securityContext: groups }).process.user.additionalGids, [10, 20]);
  const strict = config({ securityContext: { ...groups, supplementalGroupsPolicy: 'Strict' } });
  assert.equal(strict.annotations['io.edgepod.user.groups-policy'], 'Strict');
});

test('hostUsers: false: volumes are id-mapped, and ids outside of the pod’s range refused', () => {
  const mounts = [{ source: '/s', destination: '/v', readOnly: false }];
  const volume = (made: ReturnType<typeof config>) => made.mounts.find(({ destination }) => destination === '/v');
  assert.ok(volume(config({ hostUsers: false }, {}, { mounts }))?.options.includes('idmap'));
  assert.ok(!volume(config({}, {}, { mounts }))?.options.includes('idmap'));
  for (const securityContext of [{ runAsUser: 65536 }, { runAsGroup: 70000 }, { fsGroup: 65536 }])
    assert.throws(() => config({ hostUsers: false, securityContext }), /is not one of the 65536 users and groups/);
  assert.throws(() => config({ hostUsers: false }, {}, image('100000')), ContainerConfigError);
});

test('volume mounts: propagation and recursiveReadOnly', () => {
  const options = (mount: Partial<Container['volumeMounts'][number]>, spec: Partial<PodSpec> = {}) => {
    const whole = {
      name: 'v',
      mountPath: '/v',
      readOnly: false,
      recursiveReadOnly: 'Disabled',
      mountPropagation: 'None',
    } as const;
    const mounts = [{ source: '/s', destination: '/v', readOnly: mount.readOnly ?? false }];
    const made = config(spec, { volumeMounts: [{ ...whole, ...mount }] }, { mounts });
    return made.mounts.find(({ destination }) => destination === '/v')?.options;
  };
  assert.deepEqual(options({}), ['rbind', 'rprivate', 'rw']);
  assert.deepEqual(options({ mountPropagation: 'HostToContainer', readOnly: true }), ['rbind', 'rslave', 'ro']);
  assert.deepEqual(options({ mountPropagation: 'Bidirectional' }), ['rbind', 'rshared', 'rw']);
  assert.deepEqual(options({ readOnly: true, recursiveReadOnly: 'Enabled' }), ['rbind', 'rprivate', 'ro', 'rro']);
  assert.deepEqual(options({ readOnly: true, recursiveReadOnly: 'IfPossible' })?.at(-1), 'x-edgepod.rro-if-possible');
  assert.throws(() => options({ recursiveReadOnly: 'Enabled' }), /needs readOnly/);
  assert.throws(() => options({ mountPropagation: 'Bidirectional' }, { hostUsers: false }), /cannot be had/);
});

test('procMount Unmasked hides nothing; privileged has the node’s devices', () => {
  const unmasked = config({}, { securityContext: { procMount: 'Unmasked' } }).linux;
  assert.deepEqual([unmasked.maskedPaths, unmasked.readonlyPaths], [[], []]);
  const devices = [{ path: '/dev/x', type: 'c' as const, major: 1, minor: 2, fileMode: 0o600, uid: 0, gid: 0 }];
  assert.deepEqual(config({}, { securityContext: { privileged: true } }, { devices }).linux.devices, devices);
  assert.equal(config({}, {}, { devices }).linux.devices, undefined);
});

test('sysctls: the safe ones, and what the node allows', () => {
  const rows: [string, string[], boolean][] = [
    ['net.ipv4.tcp_syncookies', [], true],
    ['kernel.shm_rmid_forced', [], true],
    ['net.core.somaxconn', [], false],
    ['net.core.somaxconn', ['net.core.*'], true],
    ['net.core.somaxconn', ['net.core.somaxconn'], true],
    ['net.corex', ['net.core.*'], false],
    ['kernel.core_pattern', [], false],
  ];
  for (const [name, allowed, expected] of rows) assert.equal(isAllowedSysctl(name, allowed), expected, name);
});
