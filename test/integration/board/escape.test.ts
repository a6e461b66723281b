/** What a container must not be able to do, tried from inside real pods. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { demoImage } from '../../images/demo-images.ts';
import { buildTinyImage } from '../../images/tiny.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod, state } from './pods.ts';

const base = mkdtempSync('/var/tmp/edgepod-escape-');
const canary = join(base, 'canary');
let board: Board;
before(async () => {
  writeFileSync(canary, 'the node’s\n');
  board = await Board.open();
  await board.load(await demoImage('debian'));
  await board.load(
    await buildTinyImage(base, {
      name: 'escape',
      programs: ['escape', 'stopper'],
      files: { 'bin/again': '#!/proc/self/exe\n' },
    }),
  );
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(base, { recursive: true, force: true });
});

const attempt = (...command: string[]) => ({
  image: 'escape',
  imagePullPolicy: 'Never' as const,
  command: ['/bin/escape', ...command],
});
const ended = (pod: Pod) => ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '');
const log = async (pod: string, container = 'c0') => (await board.edgepod(['logs', pod, '-c', container])).stdout;

/** Runs one container to its end; what it printed. */
async function output(name: string, container: object, spec: object = {}): Promise<string> {
  await board.desire(name, shellPod(name, [container], { restartPolicy: 'Never', ...spec }));
  const pod = await board.pod(name, ended);
  const stdout = await log(name);
  await board.undesire(name);
  assert.equal(pod.status?.phase, 'Succeeded', `${stdout}\n${JSON.stringify(pod.status, null, 1)}`);
  return stdout;
}

/** Lines `name=outcome` as a record. */
const outcomes = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );

/** Attempts whose outcome is none of those allowed. */
const others = (text: string, allowed: string[]) =>
  Object.entries(outcomes(text)).filter(([, outcome]) => !allowed.includes(outcome));

test('system calls that lead out, or that are the node’s: none works in an ordinary container', async () => {
  for (const hostUsers of [true, false]) {
    const text = await output(`calls-${hostUsers}`, attempt('calls', canary), { hostUsers });
    assert.ok(Object.keys(outcomes(text)).length > 35, text);
    const left = others(text, ['EPERM', 'ENOSYS']);
    assert.deepEqual(left, [['second root', 'ENOENT']], `hostUsers: ${hostUsers}`);
  }
});

test('each is refused by more than the seccomp profile, or is a matter of the capability that was asked for', async () => {
  const unconfined = { seccompProfile: { type: 'Unconfined' } };
  const text = outcomes(await output('no-filter', { ...attempt('calls', canary), securityContext: unconfined }));
  for (const name of [
    ...['open_by_handle_at', 'block device', 'unshare mount', 'clone net', 'mount', 'mount proc', 'remount', 'umount'],
    ...['pivot_root', 'open_tree', 'fsopen', 'AF_PACKET', 'raw ICMP', 'kexec_load', 'init_module'],
    ...['delete_module', 'reboot', 'swapon', 'syslog', 'acct'],
  ])
    assert.ok(['EPERM', 'ENOSYS'].includes(text[name] ?? ''), `${name}=${text[name]}`);
  assert.equal(text['second root'], 'ENOENT');
  const add = async (capability: string) =>
    outcomes(
      await output(`with-${capability.toLowerCase().replace('_', '-')}`, {
        ...attempt('calls', canary),
        securityContext: { capabilities: { add: [capability] } },
      }),
    );
  const raw = await add('NET_RAW');
  assert.deepEqual([raw['raw ICMP'], raw.AF_PACKET, raw.AF_ALG], ['ok', 'ok', 'EPERM']);
  // The node can be made; the device cgroup lets nobody use it.
  assert.equal((await add('MKNOD'))['block device'], 'EPERM');
});

test('files through which the kernel is steered take nothing, by whatever way they are reached', async () => {
  const steering = [
    ...[
      'sys/kernel/core_pattern',
      'sys/kernel/modprobe',
      'sys/vm/panic_on_oom',
      'sys/kernel/hostname',
      'sysrq-trigger',
    ],
    ...['irq/default_smp_affinity', 'sys/kernel/sysrq', 'sys/fs/binfmt_misc/register'],
  ];
  const sh = [
    `for w in "" self/root/proc/ thread-self/root/proc/ self/task/1/root/proc/ 1/root/proc/; do for f in ${steering.join(' ')}; do`,
    'test -e /proc/$w$f || continue; (echo x > /proc/$w$f) 2>/dev/null && echo "WROTE /proc/$w$f"; done; done',
    'for f in /sys/kernel/uevent_helper /sys/power/state /sys/kernel/mm/ksm/run $(find /sys/fs/cgroup -name release_agent -o -name notify_on_release -o -name cgroup.procs -o -name devices.allow 2>/dev/null); do',
    '(echo 1 > $f) 2>/dev/null && echo "WROTE $f"; done',
    'for f in kcore keys timer_list sched_debug latency_stats; do for w in "" thread-self/root/proc/ self/task/1/root/proc/; do',
    'test -e /proc/$w$f && echo "$w$f $(head -c 64 /proc/$w$f 2>/dev/null | wc -c)"; done; done',
    'for d in /sys/firmware /proc/acpi /proc/scsi /sys/devices/virtual/powercap; do test -e $d && echo "$d $(ls -A $d | wc -l)"; done; echo done',
  ].join('\n');
  for (const hostUsers of [true, false]) {
    const text = await output(`steer-${hostUsers}`, { image: 'debian', command: ['/bin/sh', '-c', sh] }, { hostUsers });
    assert.doesNotMatch(text, /WROTE/);
    for (const line of text.trim().split('\n')) assert.match(line, / 0$|^done$/);
  }
});

test('T-8: a working directory in a descriptor; "..": nothing of the node is there', async () => {
  const dirs = [
    ...Array.from({ length: 20 }, (_, index) => `/proc/self/fd/${index + 3}`),
    ...['/proc/1/cwd', '/proc/self/root', '/proc/1/root/tmp', '/tmp/new/deep'],
  ];
  const sh = `pwd; test -e ${canary} && echo ESCAPED; cd .. && ls; cat ./canary 2>/dev/null; true`;
  const containers = dirs.map((workingDir) => ({ sh, workingDir }));
  await board.desire('dirs', shellPod('dirs', containers, { restartPolicy: 'Never' }));
  const pod = await board.pod(
    'dirs',
    (p) =>
      p.status?.containerStatuses.length === dirs.length &&
      p.status.containerStatuses.every(({ state: s }) => s.terminated ?? s.waiting?.reason === 'CreateContainerError'),
  );
  let started = 0;
  for (const [index, dir] of dirs.entries()) {
    const name = `c${index}`;
    const { terminated } = state(pod, name);
    const text = terminated?.reason === 'Completed' ? await log('dirs', name) : '';
    if (text) started++;
    assert.doesNotMatch(text, /ESCAPED|the node’s/, dir);
    if (dir.startsWith('/proc/self/fd/')) assert.equal(text, '', dir);
  }
  assert.ok(started > 0, 'some start, inside');
  await board.undesire('dirs');
});

test('T-1: neither exec, probe nor entry point gives a container the runner’s file', async () => {
  const files = ['edgepod-runner', 'pause'].map((name) =>
    join(import.meta.dirname, '../../../native/build', process.arch === 'arm64' ? 'arm64' : 'x64', name),
  );
  const digests = () => files.map((file) => createHash('sha256').update(readFileSync(file)).digest('hex'));
  const known = digests();
  const hunter = {
    ...attempt('hunt'),
    livenessProbe: { exec: { command: ['/bin/again'] }, periodSeconds: 1, failureThreshold: 1000 },
    readinessProbe: { exec: { command: ['/proc/self/exe', 'shim'] }, periodSeconds: 1 },
  };
  const again = { ...attempt(), command: ['/bin/again'] };
  await board.desire('hunt', shellPod('hunt', [hunter, again], { shareProcessNamespace: true }));
  await board.pod(
    'hunt',
    (pod) => state(pod).running !== undefined && (pod.status?.containerStatuses[1]?.restartCount ?? 0) > 0,
  );
  for (let round = 0; round < 8; round++) await board.edgepod(['exec', 'hunt', '-c', 'c0', '--', '/bin/again']);
  const text = await log('hunt');
  assert.doesNotMatch(text, /wrote=/);
  assert.deepEqual(digests(), known);
  await board.undesire('hunt');
});

test('shareProcessNamespace, hostPID: the infra process, the shim and the agent cannot be looked into', async () => {
  const denied = ['EPERM', 'EACCES'];
  await board.desire(
    'pids',
    shellPod('pids', [attempt('look', '1'), { sh: SLEEP }], { restartPolicy: 'Never', shareProcessNamespace: true }),
  );
  await board.pod('pids', (pod) => state(pod).terminated !== undefined);
  assert.deepEqual(others(await log('pids'), denied), []);
  await board.undesire('pids');

  await board.desire('host', shellPod('host', [{ sh: SLEEP }], { hostPID: true }));
  const pod = await board.pod('host', running);
  const shim = Number(readFileSync(join(board.runDir, 'pods', pod.metadata.uid!, 'shim.pid'), 'utf8'));
  for (const [name, pid] of [
    ['shim', shim],
    ['agent', board.agent?.pid ?? -1],
  ] as const)
    assert.deepEqual(others(await output(name, attempt('look', String(pid)), { hostPID: true }), denied), [], name);
  await board.undesire('host');
});

test('volumes of objects are read-only (T-21), and sysctls take no second setting (T-31)', async () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'plain' }, data: { key: 'value' } };
  await board.client.publishAsync(board.topic('desired/configmaps/default/plain'), JSON.stringify(configMap), {
    qos: 1,
    retain: true,
  });
  const sh =
    'touch /cm/x 2>&1; rm /cm/key 2>&1; mv /cm/..data /cm/other 2>&1; ln -s /etc /cm/..data_tmp 2>&1; cat /cm/key';
  const text = await output(
    'object',
    { image: 'debian', command: ['/bin/sh', '-c', sh], volumeMounts: [{ name: 'v', mountPath: '/cm' }] },
    { volumes: [{ name: 'v', configMap: { name: 'plain' } }] },
  );
  assert.equal(text.match(/Read-only file system/g)?.length, 4, text);
  assert.match(text, /^value$/m);
  for (const [index, value] of ['1+kernel.core_pattern=|/x', '1\nkernel.core_pattern=|/x', '1 /../core'].entries()) {
    const name = `sysctl-${index}`;
    const sysctls = [{ name: 'kernel.shm_rmid_forced', value }];
    await board.desire(
      name,
      shellPod(name, [{ sh: 'true' }], { restartPolicy: 'Never', securityContext: { sysctls } }),
    );
    const pod = await board.pod(name, (p) => p.status !== undefined && !running(p));
    assert.notEqual(pod.status?.phase, 'Succeeded');
    await board.undesire(name);
  }
});
