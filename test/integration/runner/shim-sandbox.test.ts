import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { childrenOf, eventually, ShimPod } from './shim-pod.ts';

const ns = (pid: number | 'self', kind: string): string => readlinkSync(`/proc/${pid}/ns/${kind}`);

const inSandbox = (pid: number, ...command: string[]): string =>
  execFileSync('nsenter', ['-t', String(pid), '-n', '-u', '-i', '--', ...command])
    .toString()
    .trim();

/** A figure of /proc/<pid>/smaps_rollup in KiB. */
const memory = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);

describe('the sandbox a shim makes', () => {
  test('own namespaces, host name, loopback, sysctls; containers share them', async () => {
    const pod = ShimPod.open({
      hostname: 'my-pod',
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80', 'kernel.shm_rmid_forced': '1' },
    });
    const infra = pod.infraPid;
    for (const kind of ['net', 'ipc', 'uts']) assert.notEqual(ns(infra, kind), ns('self', kind));
    for (const kind of ['pid', 'mnt']) assert.equal(ns(infra, kind), ns('self', kind));
    assert.equal(inSandbox(infra, 'uname', '-n'), 'my-pod');
    assert.match(inSandbox(infra, 'ip', '-br', 'link', 'show', 'lo'), /UP/);
    assert.equal(inSandbox(infra, 'cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start'), '80');
    assert.equal(inSandbox(infra, 'cat', '/proc/sys/kernel/shm_rmid_forced'), '1');
    const client = await pod.connect();
    const { pid } = await client.request('start', pod.prepare('web', ['sleeper']));
    for (const kind of ['net', 'ipc', 'uts']) assert.equal(ns(Number(pid), kind), ns(infra, kind));
    assert.notEqual(ns(Number(pid), 'mnt'), ns('self', 'mnt'));
    assert.notEqual(ns(Number(pid), 'pid'), ns('self', 'pid'));
    assert.deepEqual(await pod.close(), []);
  });

  test('the host namespaces where asked', async () => {
    const pod = ShimPod.open({ namespaces: { network: 'host', ipc: 'host' } });
    for (const kind of ['net', 'ipc']) assert.equal(ns(pod.infraPid, kind), ns('self', kind));
    assert.deepEqual(await pod.close(), []);
  });

  test('it starts for a caller whose own cgroup was killed once', async (t) => {
    const unified = globSync('/sys/fs/cgroup/{,*/}cgroup.controllers').map(dirname)[0];
    if (unified === undefined) return t.skip('no cgroup v2 hierarchy is mounted');
    const cgroup = join(unified, `edgepod-killed-${process.pid}`);
    mkdirSync(cgroup);
    after(() => rmdirSync(cgroup));
    if (!existsSync(join(cgroup, 'cgroup.kill'))) return t.skip('cgroup.kill is in Linux 5.14 and later');
    const sleeper = spawn('sh', ['-c', 'echo 0 > "$0/cgroup.procs" && exec sleep 1000', cgroup]);
    await eventually('it is in there', () => readFileSync(join(cgroup, 'cgroup.procs'), 'utf8') !== '');
    writeFileSync(join(cgroup, 'cgroup.kill'), '1');
    await once(sleeper, 'exit');
    const pod = ShimPod.open({ caller: cgroup });
    assert.ok(pod.cgroupDirs('_infra').length > 0);
    for (const dir of pod.cgroupDirs('_infra'))
      assert.deepEqual(readFileSync(join(dir, 'cgroup.procs'), 'utf8').trim().split('\n').map(Number), [
        pod.shimPid,
        pod.infraPid,
      ]);
    assert.deepEqual(await pod.close(), []);
  });

  test('the infra process has no rights and, in a shared PID namespace, no files', async () => {
    const pod = ShimPod.open({ namespaces: { pid: 'pod' } });
    const infra = pod.infraPid;
    const status = readFileSync(`/proc/${infra}/status`, 'utf8');
    assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^NSpid:\t\d+\t1$/m);
    assert.deepEqual(readdirSync(`/proc/${infra}/root`), []);
    assert.deepEqual(
      readdirSync(`/proc/${infra}/fd`).map((fd) => readlinkSync(`/proc/${infra}/fd/${fd}`)),
      ['/dev/null', '/dev/null', '/dev/null'],
    );
    assert.equal(readFileSync(`/proc/${infra}/mountinfo`, 'utf8').trim().split('\n').length, 1);
    // PID 1 reaps what the containers orphan.
    const client = await pod.connect();
    const config = (document: { linux: { namespaces: { type: string; path?: string }[] } }) => {
      Object.assign(document.linux.namespaces[0] ?? {}, { path: '/proc/1/ns/pid' });
    };
    const { pid } = await client.request('start', pod.prepare('z', ['zombies', '20'], { config }));
    assert.equal(ns(Number(pid), 'pid'), ns(infra, 'pid'));
    await pod.ready('z');
    await eventually('all orphans are reaped', () => childrenOf(infra).length === 0);
    assert.deepEqual(await pod.close(), []);
  });

  test('everything counts on the pod: shim, infra process and containers are below its cgroup', async () => {
    const pod = ShimPod.open({ resources: { memory: { limit: 64 << 20 }, pids: { limit: 50 } } });
    const client = await pod.connect();
    const { pid } = await client.request('start', pod.prepare('web', ['sleeper']));
    const memoryCgroup = (process: number) =>
      /^(?:\d+:memory|0:):(.*)$/m.exec(readFileSync(`/proc/${process}/cgroup`, 'utf8'))?.[1];
    for (const [process, name] of [
      [pod.shimPid, '_infra'],
      [pod.infraPid, '_infra'],
      [Number(pid), 'web'],
    ] as const)
      assert.equal(memoryCgroup(process), `/${pod.cgroup}/${name}`);
    await client.request('update', { resources: { pids: { limit: 60 } } });
    await client.request('update', { name: 'web', resources: { memory: { limit: 32 << 20 } } });
    assert.equal((await client.ask('update', { name: 'none', resources: {} })).error?.code, 'ENOENT');
    assert.deepEqual(await pod.close(), []);
  });

  test('shim and infra process of a pod with two containers cost at most 1 MB', async (context) => {
    const pod = ShimPod.open();
    const client = await pod.connect();
    for (const name of ['a', 'b']) {
      await client.request('start', pod.prepare(name, ['sleeper']));
      await pod.ready(name);
    }
    await client.kill();
    await setTimeout(1000); // memory is given back when it has been quiet for half a second
    const [shim, infra] = [memory(pod.shimPid, 'Pss'), memory(pod.infraPid, 'Pss')];
    context.diagnostic(`PSS: shim ${shim} KiB (${memory(pod.shimPid, 'Pss_Anon')} anonymous), infra ${infra} KiB`);
    assert.ok(shim + infra <= 1024);
    assert.deepEqual(await pod.close(), []);
  });
});
