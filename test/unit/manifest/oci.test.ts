import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expandReferences } from '../../../src/manifest/env.ts';
import { ContainerConfigError } from '../../../src/manifest/oci/types.ts';
import { containerCapabilities, type OciInput, ociConfig } from '../../../src/manifest/oci.ts';
import type { Container } from '../../../src/manifest/types/container.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { admitted, fixture, type Json, rawPod } from './fixtures.ts';

const IMAGE = { env: ['LANG=C'], entrypoint: ['/entry'], cmd: ['arg'], workingDir: '/app', user: '' };

function variablesOf({ spec }: Pod): Map<string, string> {
  const variables = new Map<string, string>();
  for (const { name, value = '' } of spec.containers[0]?.env ?? [])
    variables.set(name, expandReferences(value, variables));
  return variables;
}

function input(spec: Json = {}, container: Json = {}, more: Partial<OciInput> = {}): OciInput {
  const pod = admitted(rawPod(spec, container));
  return {
    pod,
    variables: variablesOf(pod),
    container: 'c',
    image: { config: IMAGE, lowerDirs: ['/l/2', '/l/1'] },
    hostname: 'p',
    cgroupsPath: 'edgepod/podU/c',
    upperDir: '/u',
    workDir: '/w',
    mounts: [],
    etc: { hosts: '/etc-p/hosts', hostname: '/etc-p/hostname', resolvConf: '/etc-p/resolv.conf' },
    nodeMemory: 2 ** 30,
    seccomp: { defaultAction: 'SCMP_ACT_ERRNO' },
    ...more,
  };
}

const config = (spec?: Json, container?: Json, more?: Partial<OciInput>) => ociConfig(input(spec, container, more));
const withUser = (user: string, container: Json = {}) =>
  config({}, container, { image: { config: { ...IMAGE, user }, lowerDirs: ['/l'] } });
const destinations = (made: ReturnType<typeof config>) => made.mounts.map((mount) => mount.destination);

test('a plain container, in full', () => {
  const capabilities = 'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP'
    .split(' ')
    .map((name) => `CAP_${name}`);
  const made = config();
  assert.deepEqual(made.process, {
    terminal: false,
    user: { uid: 65534, gid: 65534 },
    args: ['/entry', 'arg'],
    env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=p', 'LANG=C'],
    cwd: '/app',
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 20_000 }],
    noNewPrivileges: false,
    oomScoreAdj: 1000,
  });
  assert.deepEqual(made.annotations, {
    'io.edgepod.rootfs.lowerdir': '["/l/2","/l/1"]',
    'io.edgepod.rootfs.upperdir': '/u',
    'io.edgepod.rootfs.workdir': '/w',
    'io.edgepod.user': '0',
  });
  assert.deepEqual(made.root, { path: 'rootfs', readonly: false });
  assert.deepEqual(made.linux.namespaces, [
    { type: 'network', path: '/infra/network' },
    { type: 'ipc', path: '/infra/ipc' },
    { type: 'uts', path: '/infra/uts' },
    { type: 'pid' },
    { type: 'mount' },
    { type: 'cgroup' },
  ]);
  assert.equal(made.linux.cgroupsPath, 'edgepod/podU/c');
  assert.deepEqual(made.linux.resources.devices[0], { allow: false, access: 'rwm' });
  assert.ok(made.linux.maskedPaths.includes('/proc/kcore'));
  assert.ok(made.linux.readonlyPaths.includes('/proc/sys'));
  assert.deepEqual(made.linux.seccomp, { defaultAction: 'SCMP_ACT_ERRNO' });
});

describe('user', () => {
  const rows: [string, Json, string, number | undefined, string | undefined][] = [
    ['nobody says', {}, '', undefined, '0'],
    ['the image, by name', {}, 'www-data', undefined, 'www-data'],
    ['the image, by name and group', {}, 'www-data:adm', undefined, 'www-data:adm'],
    ['the image, by number', {}, '1000:2000', undefined, '1000:2000'],
    ['the manifest, user', { runAsUser: 5 }, 'www-data:adm', undefined, '5'],
    ['the manifest, group', { runAsGroup: 7 }, 'www-data:adm', undefined, 'www-data:7'],
    ['the manifest, both', { runAsUser: 5, runAsGroup: 7 }, 'x', undefined, '5:7'],
    ['the manifest, root', { runAsUser: 0, runAsGroup: 0 }, 'x', undefined, '0:0'],
  ];
  for (const [what, securityContext, imageUser, uid, lookup] of rows)
    test(what, () => {
      const made = withUser(imageUser, { securityContext });
      assert.equal(made.annotations['io.edgepod.user'], lookup);
      assert.equal(made.process.user.uid, uid ?? 65534);
    });

  for (const user of [
    '4294967296',
    '2147483648',
    '-1',
    ' 0',
    '0x 0',
    '+0',
    '1000:4294967296',
    'a:b:c',
    ':0',
    'a:',
    'a\0b',
    '00000000000',
  ])
    test(`image user ${JSON.stringify(user)} is refused, not root`, () =>
      assert.throws(() => withUser(user), ContainerConfigError));

  test('the container’s word wins over the pod’s', () => {
    const spec = { securityContext: { runAsUser: 1, runAsGroup: 2 } };
    const user = (made: ReturnType<typeof config>) => made.annotations['io.edgepod.user'];
    assert.equal(user(config(spec)), '1:2');
    assert.equal(user(config(spec, { securityContext: { runAsUser: 3 } })), '3:2');
  });
});

describe('privileges', () => {
  const caps = (securityContext: Json) =>
    containerCapabilities(admitted(rawPod({}, { securityContext })).spec.containers[0] as Container);

  const rows: [string, Json, number, string[]][] = [
    ['one more', { capabilities: { add: ['NET_ADMIN'] } }, 12, ['CAP_NET_ADMIN']],
    ['one less', { capabilities: { drop: ['CHOWN'] } }, 10, []],
    ['none', { capabilities: { drop: ['ALL'] } }, 0, []],
    ['none but one', { capabilities: { drop: ['ALL'], add: ['CAP_NET_RAW'] } }, 1, ['CAP_NET_RAW']],
    ['all', { capabilities: { add: ['ALL'] } }, 41, ['CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE']],
    ['all but one', { capabilities: { add: ['ALL'], drop: ['SYS_ADMIN'] } }, 40, []],
    ['all and none', { capabilities: { add: ['ALL'], drop: ['ALL'] } }, 0, []],
    ['privileged', { privileged: true }, 41, ['CAP_SYS_ADMIN']],
  ];
  for (const [what, context, count, some] of rows)
    test(`capabilities: ${what}`, () => {
      const found = caps(context);
      assert.equal(found.length, count);
      for (const name of some) assert.ok(found.includes(name));
    });

  test('privileged lifts every confinement', () => {
    const { linux, mounts } = config({}, { securityContext: { privileged: true } });
    assert.deepEqual([linux.maskedPaths, linux.readonlyPaths, linux.seccomp], [[], [], undefined]);
    assert.deepEqual(linux.resources.devices, [{ allow: true, access: 'rwm' }]);
    assert.ok(mounts.find((mount) => mount.destination === '/sys')?.options.includes('rw'));
  });

  test('the rest of the basics', () => {
    const securityContext = { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false };
    const made = config({ shareProcessNamespace: true }, { securityContext }, { nofileMax: 512 });
    assert.equal(made.root.readonly, true);
    assert.equal(made.process.noNewPrivileges, true);
    assert.deepEqual(made.process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 512, hard: 512 }]);
    assert.deepEqual(
      made.linux.namespaces.find((namespace) => namespace.type === 'pid'),
      { type: 'pid', path: '/infra/pid' },
    );
  });
});

describe('mounts', () => {
  const volume = (destination: string, readOnly = false) => ({ source: `/v${destination}`, destination, readOnly });

  test('the usual ones, then what is bound, outer before inner', () => {
    const mounts = [volume('/a/b/c'), volume('/a', true), volume('/etc')];
    assert.deepEqual(destinations(config({}, {}, { mounts })), [
      '/proc',
      '/dev',
      '/dev/pts',
      '/dev/shm',
      '/dev/mqueue',
      '/sys',
      '/sys/fs/cgroup',
      '/a',
      '/etc',
      '/etc/hosts',
      '/etc/hostname',
      '/etc/resolv.conf',
      '/a/b/c',
    ]);
    const { mounts: made } = config({}, {}, { mounts });
    assert.deepEqual(
      made.find((mount) => mount.destination === '/a'),
      {
        destination: '/a',
        type: 'bind',
        source: '/v/a',
        options: ['rbind', 'rprivate', 'ro'],
      },
    );
  });

  test('a volume replaces what would be in its place', () => {
    const made = config(
      {},
      {},
      { mounts: [volume('/etc/hosts'), volume('/dev/shm/'), volume('/dev')], shmPath: '/shm' },
    );
    const found = destinations(made);
    assert.equal(found.filter((destination) => destination === '/etc/hosts').length, 1);
    assert.equal(made.mounts.find((mount) => mount.destination === '/etc/hosts')?.source, '/v/etc/hosts');
    assert.ok(!found.includes('/dev/shm') && found.includes('/dev/shm/'));
    assert.equal(made.mounts.find((mount) => mount.destination === '/dev')?.type, 'bind');
  });

  test('the pod’s shared memory and the termination log', () => {
    const made = config(
      {},
      {},
      { shmPath: '/shm', terminationLog: { source: '/log', destination: '/dev/termination-log' } },
    );
    assert.equal(made.mounts.find((mount) => mount.destination === '/dev/shm')?.source, '/shm');
    assert.equal(made.mounts.find((mount) => mount.destination === '/dev/termination-log')?.source, '/log');
  });
});

describe('from the manifest', () => {
  test('every field of the fixture', () => {
    const pod = admitted(fixture('every-field.yaml'));
    const made = ociConfig({ ...input(), pod, variables: variablesOf(pod), container: 'main' });
    assert.deepEqual(made.process.args, ['/bin/main', '--name=world', '$(NAME)', '$(NOT_SET)']);
    assert.equal(made.process.cwd, '/srv');
    assert.ok(made.process.env.includes('GREETING=hello world'));
    assert.deepEqual(made.process.capabilities.bounding, ['CAP_NET_ADMIN']);
    assert.equal(made.linux.resources.memory?.limit, 64 * 1024 * 1024);
    assert.equal(made.process.oomScoreAdj, 938);
  });

  test('an image without a program', () => {
    const config = { ...IMAGE, entrypoint: [], cmd: [] };
    assert.throws(
      () => ociConfig(input({}, {}, { image: { config, lowerDirs: [] } })),
      /no command: the image i names none/,
    );
  });

  test('an image with a relative or no working directory', () => {
    for (const [workingDir, cwd] of [
      ['', '/'],
      ['srv', '/srv'],
    ] as const) {
      const image = { config: { ...IMAGE, workingDir }, lowerDirs: [] };
      assert.equal(ociConfig(input({}, {}, { image })).process.cwd, cwd);
    }
  });

  test('a container the pod does not have', () => {
    assert.throws(() => ociConfig({ ...input(), container: 'x' }), ContainerConfigError);
  });
});
