/** The security context as a process in the container sees it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { buildTinyImage } from '../../images/tiny.ts';
import { Board } from './board.ts';
import { because, phase, running, SLEEP, shellPod, state } from './pods.ts';
import { outputOn } from './run-once.ts';

const base = mkdtempSync(join(tmpdir(), 'edgepod-security-'));
const profiles = join(base, 'seccomp');
let board: Board;
before(async () => {
  mkdirSync(profiles);
  const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 };
  writeFileSync(join(profiles, 'no-mkdir.json'), JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }));
  writeFileSync(join(profiles, 'broken.json'), '{');
  board = await Board.open({
    settings: ['--seccomp-dir', profiles, '--allowed-unsafe-sysctls', 'net.core.*', '--resources-pod-pids-limit', '40'],
  });
  await board.load(await demoImage('debian'));
  for (const [name, User] of Object.entries({ named: 'web', fake: 'fake' }))
    await board.load(await userImage(name, User));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(base, { recursive: true, force: true });
});

/** An image whose configuration names `User`, with a second name for root and an environment that is not all one. */
function userImage(name: string, User: string): Promise<string> {
  return buildTinyImage(base, {
    name,
    programs: ['inspect', 'sleeper'],
    files: { 'etc/passwd': 'root:x:0:0::/:\nweb:x:1000:1000::/:\nfake:x:0:1000::/:\n' },
    config: { User, Cmd: ['/bin/inspect'], Env: ['FOO', 'PATH*', '*', 'GOOD=1'] },
  });
}

const output = outputOn(() => board);

const lines = (text: string) => text.trim().split('\n');
const image = (name: string, container: object = {}) => ({
  image: name,
  imagePullPolicy: 'Never' as const,
  ...container,
});

test('supplementalGroups and fsGroup; the image’s own groups with Merge, not with Strict; the status says who', async () => {
  const container = [image('named', { command: ['/bin/sleeper'] })];
  const securityContext = { supplementalGroups: [3000], fsGroup: 4000 };
  for (const [policy, groups] of [
    ['Merge', [2000, 1000, 3000, 4000]],
    ['Strict', [1000, 3000, 4000]],
  ] as const) {
    const spec = { securityContext: { ...securityContext, supplementalGroupsPolicy: policy } };
    await board.desire('groups', shellPod('groups', container, spec));
    const pod = await board.pod('groups', running);
    const user = pod.status?.containerStatuses[0]?.user?.linux;
    assert.deepEqual([user?.uid, user?.gid], [1000, 1000]);
    assert.deepEqual([...user!.supplementalGroups].sort(), [...groups].sort(), policy);
    await board.undesire('groups');
  }
  const id = await output(
    'id',
    'id -u; id -g; id -G',
    {},
    { securityContext: { runAsUser: 7, runAsGroup: 8, fsGroup: 9 } },
  );
  assert.deepEqual(
    lines(id).map((line) => line.split(' ').sort().join(' ')),
    ['7', '8', '8 9'],
  );
});

test('runAsNonRoot: root by number, by default or by another name is CreateContainerConfigError, and never runs (T-24)', async () => {
  const securityContext = { runAsNonRoot: true };
  const rows: [string, object, RegExp][] = [
    [
      'default',
      { image: 'debian', command: ['/bin/true'] },
      /container has runAsNonRoot and image will run as root \(pod: "nonroot-0_default\(.*\)", container: c0\)/,
    ],
    [
      'by name',
      image('fake'),
      /container has runAsNonRoot and image will run as root \(pod: "nonroot-1_default\(.*\)", container: c0\)/,
    ],
  ];
  for (const [index, [what, container, message]] of rows.entries()) {
    const name = `nonroot-${index}`;
    await board.desire(name, shellPod(name, [{ ...container, securityContext }]));
    const pod = await board.pod(name, because('CreateContainerConfigError'));
    assert.match(state(pod).waiting?.message ?? '', message, what);
    await board.undesire(name);
  }
  for (const User of ['4294967296', '2147483648']) {
    const { code, stderr } = await board.edgepod(['image', 'load', await userImage(`wraps-${User}`, User)]);
    assert.equal(code, 1);
    assert.match(stderr, /config\.User must be ids up to 2147483647/);
  }
  const text = await output('nonroot-ok', '', { ...image('named'), command: undefined, securityContext });
  assert.match(text, /^uid=1000$/m);
});

test('an image’s environment that is no KEY=VALUE is left out, and nothing of the agent’s comes in (T-33)', async () => {
  const env = lines(await output('env', '', { ...image('named'), command: undefined })).filter((line) =>
    line.startsWith('env='),
  );
  assert.deepEqual(env.map((line) => line.split('=')[1]).sort(), ['GOOD', 'HOME', 'HOSTNAME', 'PATH']);
});

test('seccompProfile: Localhost, Unconfined, and files that cannot be had', async () => {
  const localhost = (localhostProfile: string) => ({
    securityContext: { seccompProfile: { type: 'Localhost' as const, localhostProfile } },
  });
  const text = await output('local', 'mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status', localhost('no-mkdir.json'));
  assert.match(text, /Operation not supported/);
  assert.match(text, /^Seccomp:\t2$/m);
  const open = await output('open', 'grep Seccomp: /proc/self/status', {
    securityContext: { seccompProfile: { type: 'Unconfined' } },
  });
  assert.match(open, /^Seccomp:\t0$/m);
  for (const [index, [file, message]] of (
    [
      ['none.json', /no such file/],
      ['broken.json', /JSON/],
    ] as const
  ).entries()) {
    const name = `profile-${index}`;
    await board.desire(name, shellPod(name, [{ sh: 'true', ...localhost(file) }]));
    const pod = await board.pod(name, because('CreateContainerConfigError'));
    const said = state(pod).waiting?.message ?? '';
    assert.ok(said.includes(join(profiles, file)) && message.test(said), said);
    await board.undesire(name);
  }
});

test('appArmorProfile where the kernel has none is refused', {
  skip: aaEnabled() && 'this kernel has AppArmor',
}, async () => {
  const securityContext = { appArmorProfile: { type: 'RuntimeDefault' } };
  await board.desire('aa', shellPod('aa', [{ sh: 'true', securityContext } as object]));
  const { status } = await board.pod('aa', phase('Failed'));
  assert.deepEqual(
    [status?.reason, status?.message],
    ['AppArmor', 'Cannot enforce AppArmor: AppArmor is not enabled on the host'],
  );
  await board.undesire('aa');
});

test('sysctls: safe and allowed ones are set in the pod, others fail it', async () => {
  const sysctls = [
    { name: 'net.ipv4.ip_unprivileged_port_start', value: '81' },
    { name: 'kernel.shm_rmid_forced', value: '1' },
    { name: 'net.core.somaxconn', value: '77' },
  ];
  const read =
    'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced /proc/sys/net/core/somaxconn';
  const wanted = { securityContext: { sysctls } };
  assert.deepEqual(lines(await output('sysctls-host', read, {}, wanted)), ['81', '1', '77']);
  if (ownUsersHave('net/core/somaxconn'))
    assert.deepEqual(lines(await output('sysctls-own', read, {}, { hostUsers: false, ...wanted })), ['81', '1', '77']);
  else {
    await board.desire('sysctls-own', shellPod('sysctls-own', [{ sh: read }], { hostUsers: false, ...wanted }));
    const none = /net\.core\.somaxconn: this kernel has none in the pod's namespaces \(it may with hostUsers: true\)/;
    await board.pod('sysctls-own', (p) => p.status?.conditions.some(({ message = '' }) => none.test(message)) ?? false);
    await board.undesire('sysctls-own');
  }
  await board.desire(
    'unsafe',
    shellPod('unsafe', [{ sh: 'true' }], { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '9000' }] } }),
  );
  const pod = await board.pod('unsafe', phase('Failed'));
  assert.equal(pod.status?.reason, 'SysctlForbidden');
  assert.match(pod.status?.message ?? '', /forbidden sysctl: "kernel.msgmax" not allowlisted/);
  await board.undesire('unsafe');
});

test('privileged: the node’s devices are there and open; an ordinary container has neither', async () => {
  const look =
    'ls /dev | wc -l; test -c /dev/kmsg && head -c0 /dev/kmsg && echo opened; touch /sys/x 2>&1; ls /proc/acpi >/dev/null; true';
  const plain = await output('plain-dev', look);
  assert.doesNotMatch(plain, /opened/);
  const privileged = await output('privileged-dev', look, { securityContext: { privileged: true } });
  assert.match(privileged, /^opened$/m);
  assert.ok(Number(lines(privileged)[0]) > Number(lines(plain)[0]));
});

test('procMount Unmasked shows what is hidden otherwise', async () => {
  const text = await output(
    'unmasked',
    'grep -c " /proc/" /proc/self/mountinfo',
    { securityContext: { procMount: 'Unmasked' } },
    { hostUsers: false },
  ).catch((error: Error) => error.message);
  assert.match(text, /^0$/m);
});

test('containers of a pod share /dev/shm', async () => {
  const writer = { sh: `echo hello > /dev/shm/x; ${SLEEP}` };
  const reader = {
    sh: 'until cat /dev/shm/x 2>/dev/null; do sleep 0.1; done; grep -c " /dev/shm tmpfs rw,nosuid,nodev,noexec" /proc/mounts',
  };
  await board.desire('shm', shellPod('shm', [writer, reader], { restartPolicy: 'OnFailure' }));
  await board.pod('shm', (pod) => state(pod, 'c1').terminated?.exitCode === 0);
  assert.deepEqual(lines((await board.edgepod(['logs', 'shm', '-c', 'c1'])).stdout), ['hello', '1']);
  await board.undesire('shm');
});

test('podPidsLimit: a fork bomb ends at the limit', async () => {
  const text = await output('pids', 'i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done 2>&1 | head -1; true');
  assert.match(text, /[Cc]annot fork|Resource temporarily unavailable/);
});

test('hostUsers: false: root inside is nobody outside; volumes, /sys, cgroup, devices and exec work', async () => {
  const container = {
    sh: `id -u; echo made > /v/made; stat -c "%u %g" / /bin/sh /v /v/made /etc/hosts /dev/null; touch /root/x && echo wrote; touch /sys/fs/cgroup/x 2>&1; cat /proc/self/uid_map | tr -s " "; ${SLEEP}`,
    volumeMounts: [{ name: 'v', mountPath: '/v' }],
    livenessProbe: { exec: { command: ['/bin/sh', '-c', 'echo probe > /v/probe'] }, periodSeconds: 1 },
  };
  await board.desire(
    'users',
    shellPod('users', [container as object], { hostUsers: false, volumes: [{ name: 'v', emptyDir: {} }] }),
  );
  const pod = await board.pod('users', running);
  let stdout = '';
  while (!stdout.includes('65536')) ({ stdout } = await board.edgepod(['logs', 'users']));
  assert.match(stdout, /^0\n0 0\n0 0\n0 0\n0 0\n65534 65534\n0 0\nwrote\n/);
  assert.match(stdout, /Read-only file system/);
  assert.match(stdout, /^ 0 1073741824 65536$/m);
  const user = pod.status?.containerStatuses[0]?.user?.linux;
  assert.deepEqual([user?.uid, user?.gid], [0, 0]);
  const volume = join(board.dataDir, 'pods', pod.metadata.uid!, 'volumes/v/made');
  assert.equal(statSync(volume).uid, 0);
  await board.undesire('users');
});

test('control sockets are files only their owner may use, and no abstract ones (T-29); state is 0700 (T-30)', async () => {
  await board.desire('sock', shellPod('sock', [{ sh: SLEEP }]));
  const pod = await board.pod('sock', running);
  const sockets = await output('abstract', 'cat /proc/net/unix', {}, { hostNetwork: true });
  assert.doesNotMatch(sockets, /@.*(edgepod|shim)/);
  assert.equal(statSync(join(board.runDir, 'pods', pod.metadata.uid!, 'shim.sock')).mode & 0o777, 0o600);
  for (const dir of [board.runDir, board.dataDir, join(board.runDir, 'pods', pod.metadata.uid!)])
    assert.equal(statSync(dir).mode & 0o077, 0, dir);
  await board.undesire('sock');
});

test('a program of any user reads the limits it runs under, as it needs to for sizing itself', async () => {
  const read = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2> /dev/null; true';
  const container = { securityContext: { runAsUser: 1000 }, resources: { limits: { memory: '64Mi' } } };
  for (const hostUsers of [true, false])
    assert.equal((await output(`limits-${hostUsers}`, read, container, { hostUsers })).trim(), String(64 << 20));
});

test('files the agent manages cannot be filled (T-22); the cgroup tree is read-only (T-6); no inheritable capability in exec either (T-5)', async () => {
  const text = await output(
    'fill',
    'for f in /etc/hosts /etc/resolv.conf /etc/hostname; do (echo x >> $f) 2>&1; done; touch /sys/fs/cgroup/x 2>&1; for d in /sys/fs/cgroup/*/; do test ! -d $d || touch $d/x 2>&1; done; grep CapInh /proc/self/status',
  );
  for (const line of lines(text).slice(0, -1)) assert.match(line, /Read-only file system/);
  assert.match(text, /^CapInh:\t0+$/m);
});

/** Whether this kernel shows a sysctl in network namespaces of users that are not the host's; the older, the fewer. */
function ownUsersHave(sysctl: string): boolean {
  return spawnSync('unshare', ['-Urn', 'test', '-e', `/proc/sys/${sysctl}`]).status === 0;
}

function aaEnabled(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').trim() === 'Y';
  } catch {
    return false;
  }
}
