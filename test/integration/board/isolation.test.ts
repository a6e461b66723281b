import assert from 'node:assert/strict';
import { get } from 'node:http';
import { hostname } from 'node:os';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { phase, running, SLEEP, shellPod, state } from './pods.ts';
import { outputOn } from './run-once.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  await board.load(await demoImage('nginx'));
});
after(async () => assert.deepEqual(await board.close(), []));

const output = outputOn(() => board);

/** HTTP status of `url`, asked again while nobody listens yet: running is not listening. */
async function statusOf(url: string, tries = 50): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  get(url, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  }).on('error', () => resolve(0));
  const status = await promise;
  if (status !== 0 || tries === 0) return status;
  await new Promise((done) => setTimeout(done, 100));
  return statusOf(url, tries - 1);
}

const lines = (text: string) => text.trim().split('\n');

test('containers of a pod share network, IPC and UTS, not mounts, cgroups or processes', async () => {
  const print = 'for n in net ipc uts mnt pid cgroup; do readlink /proc/self/ns/$n; done';
  await board.desire('share', shellPod('share', [{ sh: print }, { sh: print }], { restartPolicy: 'Never' }));
  await board.pod('share', phase('Succeeded'));
  const [a, b] = await Promise.all(
    ['c0', 'c1'].map(async (c) => lines((await board.edgepod(['logs', 'share', '-c', c])).stdout)),
  );
  assert.deepEqual(a!.slice(0, 3), b!.slice(0, 3));
  for (const index of [3, 4, 5]) assert.notEqual(a![index], b![index]);
  const { readlinkSync } = await import('node:fs');
  for (const [index, name] of ['net', 'ipc', 'uts'].entries())
    assert.notEqual(a![index], readlinkSync(`/proc/self/ns/${name}`));
  await board.undesire('share');
});

test('shareProcessNamespace: containers see each other, and pause is process 1', async () => {
  const look = 'sleep 0.3; for p in /proc/[0-9]*; do echo "${p#/proc/} $(cat $p/comm)"; done';
  await board.desire(
    'pids',
    shellPod('pids', [{ sh: look }, { sh: SLEEP }], { restartPolicy: 'Never', shareProcessNamespace: true }),
  );
  await board.pod('pids', (pod) => state(pod).terminated?.exitCode === 0);
  const seen = (await board.edgepod(['logs', 'pids', '-c', 'c0'])).stdout;
  assert.match(seen, /^1 pause$/m);
  assert.ok(lines(seen).filter((line) => line.endsWith(' sh')).length >= 2, seen);
  await board.undesire('pids');
});

test('hostname, hosts and resolv.conf are the pod’s', async () => {
  const text = await output(
    'names',
    'cat /etc/hostname; hostname 2>/dev/null || uname -n; cat /etc/hosts; cat /etc/resolv.conf',
  );
  const [file, kernel] = lines(text);
  assert.equal(file, 'names');
  assert.equal(kernel, 'names');
  assert.match(text, /^# Kubernetes-managed hosts file\.$/m);
  assert.match(text, /^10\.88\.\d+\.\d+\tnames$/m);
  assert.equal(lines(await output('own-name', 'uname -n', {}, { hostname: 'other' }))[0], 'other');
});

test('hostNetwork: the node’s network and name', async () => {
  const { readlinkSync } = await import('node:fs');
  const text = await output('host', 'readlink /proc/self/ns/net; uname -n', {}, { hostNetwork: true });
  assert.deepEqual(lines(text), [readlinkSync('/proc/self/ns/net'), hostname()]);
});

test('nginx serves on the pod’s IP; another pod reaches it, a container of the same pod on localhost', async () => {
  await board.desire('web', shellPod('web', [{ image: 'nginx' }, { sh: SLEEP }]));
  const pod = await board.pod('web', running);
  assert.ok([200, 403].includes(await statusOf(`http://${pod.status!.podIP}/`)));
  const fetchWith = (host: string) =>
    `exec 3<>/dev/tcp/${host}/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; read -r line <&3; echo "$line"`;
  const bash = (host: string) => ({ command: ['/bin/bash', '-c', fetchWith(host)] });
  assert.match(await output('reach', '', bash(pod.status!.podIP!)), /^HTTP\/1\.[01] /);
  await board.desire(
    'local',
    shellPod('local', [{ image: 'nginx' }, bash('127.0.0.1')], { restartPolicy: 'OnFailure' }),
  );
  await board.pod('local', (p) => state(p, 'c1').terminated?.exitCode === 0 && state(p).running !== undefined, 40_000);
  await board.undesire('local');
  await board.undesire('web');
});

test('an ordinary container: few capabilities, none inheritable, seccomp, only its own descriptors, kernel files masked', async () => {
  const text = await output(
    'plain',
    'grep -E "^(Cap|Seccomp:|NoNewPrivs)" /proc/self/status; ls /proc/self/fd | tr "\\n" " "; echo; id -u; head -c1 /proc/kcore 2>&1 | wc -c; (echo x > /proc/sys/kernel/hostname) 2>&1; touch /sys/x 2>&1; mount -t tmpfs t /tmp 2>&1; env | sort',
  );
  assert.match(text, /^CapInh:\t0+$/m);
  assert.match(text, /^CapAmb:\t0+$/m);
  assert.match(text, /^CapEff:\t00000000800405fb$/m, text);
  assert.match(text, /^Seccomp:\t2$/m);
  assert.match(text, /^0 1 2 3 $/m); // 3 is ls reading the directory
  assert.match(text, /^0$/m);
  assert.match(text, /kernel\/hostname: Read-only file system/);
  assert.match(text, /sys\/x.*Read-only file system/);
  assert.doesNotMatch(text, /EDGEPOD|NODE|npm_/, 'nothing of the agent’s environment');
});

test('allowPrivilegeEscalation: false sets no_new_privs; runAsUser and runAsGroup are honoured; drop ALL leaves none', async () => {
  const securityContext = {
    runAsUser: 1234,
    runAsGroup: 567,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  };
  const text = await output('least', 'id -u; id -g; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status', {
    securityContext,
  });
  assert.deepEqual(lines(text), [
    '1234',
    '567',
    'CapEff:\t0000000000000000',
    'CapBnd:\t0000000000000000',
    'NoNewPrivs:\t1',
  ]);
});

test('capabilities add; privileged has them all and no seccomp', async () => {
  const add = await output('net-admin', 'grep CapEff /proc/self/status', {
    securityContext: { capabilities: { add: ['NET_ADMIN'] } },
  });
  assert.ok((BigInt(`0x${add.trim().split('\t')[1]}`) & (1n << 12n)) !== 0n);
  const all = await output(
    'privileged',
    'grep -E "^(CapEff|Seccomp:)" /proc/self/status; mount -t tmpfs t /tmp && echo mounted',
    {
      securityContext: { privileged: true },
    },
  );
  assert.match(all, /^Seccomp:\t0$/m);
  assert.match(all, /^mounted$/m);
});

test('readOnlyRootFilesystem: the root refuses writes, a volume takes them', async () => {
  const text = await output(
    'readonly',
    'touch /x 2>&1; touch /v/x && echo volume',
    { securityContext: { readOnlyRootFilesystem: true }, volumeMounts: [{ name: 'v', mountPath: '/v' }] },
    { volumes: [{ name: 'v', emptyDir: {} }] },
  );
  assert.match(text, /Read-only file system/);
  assert.match(text, /^volume$/m);
});

test('volumes: emptyDir on disk and in memory, shared; readOnly; subPath', async () => {
  const volumes = [
    { name: 'disk', emptyDir: {} },
    { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
  ];
  const text = await output(
    'volumes',
    'grep -E " /(mem|disk) " /proc/self/mounts | cut -d" " -f2,3; df -k /mem | tail -1 | tr -s " " | cut -d" " -f2; echo hi > /disk/sub/f; cat /sub/f; touch /ro/x 2>&1; stat -c %a /disk',
    {
      volumeMounts: [
        { name: 'disk', mountPath: '/disk' },
        { name: 'mem', mountPath: '/mem' },
        { name: 'disk', mountPath: '/sub', subPath: 'sub' },
        { name: 'disk', mountPath: '/ro', readOnly: true },
      ],
    },
    { volumes },
  );
  assert.match(text, /^\/mem tmpfs$/m);
  assert.match(text, /^8192$/m);
  assert.match(text, /^hi$/m);
  assert.match(text, /ro\/x.*Read-only file system/);
  assert.match(text, /^777$/m);
});

test('environment: $(VAR), command and args over the image’s; workingDir', async () => {
  const env = [
    { name: 'A', value: 'one' },
    { name: 'B', value: '$(A)-two' },
    { name: 'C', value: '$$(A) $(NOPE)' },
  ];
  const text = await output('env', '', {
    command: ['/bin/sh', '-c', 'echo "$B|$C|$0"; pwd'],
    args: ['$(B)!'],
    env,
    workingDir: '/tmp/new',
  });
  assert.deepEqual(lines(text), ['one-two|$(A) $(NOPE)|one-two!', '/tmp/new']);
});

test('cgroup limits are in force', async () => {
  const resources = { limits: { memory: '64Mi', cpu: '500m' } };
  await board.desire('limits', shellPod('limits', [{ sh: SLEEP, resources }]));
  const pod = await board.pod('limits', running);
  assert.equal(pod.status?.qosClass, 'Guaranteed');
  const { globSync, readFileSync } = await import('node:fs');
  const [limit] = globSync(
    `/sys/fs/cgroup/{,memory/}edgepod*/pod${pod.metadata.uid}/c0/{memory.limit_in_bytes,memory.max}`,
  );
  assert.equal(readFileSync(limit!, 'utf8').trim(), String(64 << 20));
  await board.undesire('limits');
});
