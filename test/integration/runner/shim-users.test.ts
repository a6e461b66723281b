/** Pods with users of their own: one user namespace a pod, id-mapped layers and volumes. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { patience } from '../../patience.ts';
import { type SandboxOptions, ShimPod } from './shim-pod.ts';

const FIRST = 0x4000_0000;
const OWN: SandboxOptions = { namespaces: { user: 'pod' }, firstUser: FIRST };
const ns = (pid: number | 'self', kind: string): string => readlinkSync(`/proc/${pid}/ns/${kind}`);
const text = (value: unknown): string => Buffer.from(String(value), 'base64').toString('latin1');

type Config = Parameters<NonNullable<NonNullable<Parameters<ShimPod['prepare']>[2]>['config']>>[0];

/** What a pod's containers get mounted besides /proc. */
const systemMounts = (config: Config) => {
  config.mounts.push(
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666', 'gid=5'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
  );
};

describe('a pod with users of its own', () => {
  let pod: ShimPod;
  afterEach(async () => assert.deepEqual(await pod.close(), []));

  test('infra process, containers and exec are in one user namespace, mapped to its range', async () => {
    pod = ShimPod.open({
      ...OWN,
      sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80', 'kernel.shm_rmid_forced': '1' },
    });
    const infra = pod.infraPid;
    assert.notEqual(ns(infra, 'user'), ns('self', 'user'));
    assert.equal(readFileSync(`/proc/${infra}/uid_map`, 'utf8').trim().split(/ +/).join(' '), `0 ${FIRST} 65536`);
    assert.match(readFileSync(`/proc/${infra}/status`, 'utf8'), new RegExp(`^Uid:\t${FIRST + 65534}\t`, 'm'));
    const client = await pod.connect();
    for (const name of ['inspect', 'put']) pod.addProgram(name);
    const { pid } = await client.request('start', pod.prepare('web', ['sleeper'], { config: systemMounts }));
    for (const kind of ['user', 'net', 'ipc', 'uts']) assert.equal(ns(Number(pid), kind), ns(infra, kind));
    assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), new RegExp(`^Uid:\t${FIRST}\t`, 'm'));
    const run = await client.request('exec', { name: 'web', args: ['/bin/inspect'], timeoutMs: patience(10_000) });
    const seen = text(run.stdout);
    assert.match(seen, /^uid=0$/m);
    assert.match(seen, /^CapEff:\t0000000000000000$/m);
    assert.deepEqual(
      seen
        .split('\n')
        .filter((line) => line.startsWith('fd='))
        .map((line) => line.split(' ')[0]),
      ['fd=0', 'fd=1', 'fd=2'],
    );
    const device = statSync(`/proc/${pid}/root/dev/null`);
    assert.deepEqual([device.isCharacterDevice(), device.uid, device.gid], [true, FIRST, FIRST]);
  });

  test('the image belongs to the container’s root, what it writes to the pod’s range, volumes to themselves', async () => {
    pod = ShimPod.open(OWN);
    const volume = join(pod.base, 'volume');
    mkdirSync(volume);
    writeFileSync(join(volume, 'given'), '');
    const client = await pod.connect();
    pod.addProgram('put');
    const config = (document: Config) => {
      document.mounts.push({ destination: '/v', type: 'bind', source: volume, options: ['rbind', 'idmap', 'rw'] });
    };
    const { pid } = await client.request('start', pod.prepare('web', ['sleeper'], { config }));
    const root = `/proc/${pid}/root`;
    for (const path of ['/', '/bin', '/bin/sleeper', '/v', '/v/given'])
      assert.deepEqual([statSync(root + path).uid, statSync(root + path).gid], [FIRST, FIRST], path);
    for (const path of ['/made', '/v/made']) {
      const put = await client.request('exec', {
        name: 'web',
        args: ['/bin/put', path, '78'],
        timeoutMs: patience(10_000),
      });
      assert.equal(put.exitCode, 0, `${path} ${text(put.stderr)}`);
    }
    assert.equal(statSync(join(pod.base, 'layers/web-0/upper/made')).uid, FIRST);
    assert.equal(statSync(join(volume, 'made')).uid, 0, 'a volume keeps its owners whatever the range');
  });

  test('with a shared PID namespace', async () => {
    pod = ShimPod.open({ ...OWN, namespaces: { user: 'pod', pid: 'pod' } });
    const client = await pod.connect();
    const config = (document: Config) => {
      Object.assign(document.linux.namespaces[0] ?? {}, { path: '/proc/1/ns/pid' });
    };
    const { pid } = await client.request('start', pod.prepare('web', ['sleeper'], { config }));
    assert.equal(ns(Number(pid), 'pid'), ns(pod.infraPid, 'pid'));
    assert.equal(readFileSync(`/proc/${pod.infraPid}/mountinfo`, 'utf8').trim().split('\n').length, 1);
  });

  test('a volume whose file system cannot map ids is refused with the reason', async () => {
    pod = ShimPod.open(OWN);
    const client = await pod.connect();
    const config = (document: Config) => {
      document.mounts.push({ destination: '/v', type: 'bind', source: '/proc/fs', options: ['rbind', 'idmap'] });
    };
    await assert.rejects(client.request('start', pod.prepare('web', ['sleeper'], { config })), {
      message: /id-map.*\/proc\/fs: .*cannot map the ids of a mount/s,
    });
  });
});

test('firstUser and namespaces.user go together', async () => {
  for (const options of [{ firstUser: FIRST }, { namespaces: { user: 'pod' } }, { ...OWN, firstUser: 1 }]) {
    const pod = new ShimPod();
    assert.equal(pod.startShim(options)?.step, 'sandbox-config');
    assert.deepEqual(await pod.close(), []);
  }
});
