import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { alive, childrenOf, eventually, ShimPod } from './shim-pod.ts';

/** A pod with two containers that run, in the given PID namespace. */
async function running(pid = 'container') {
  const pod = ShimPod.open({ namespaces: { pid } });
  const client = await pod.connect();
  const config = (document: { linux: { namespaces: { type: string; path?: string }[] } }) => {
    if (pid === 'pod') Object.assign(document.linux.namespaces[0] ?? {}, { path: '/proc/1/ns/pid' });
    if (pid === 'host') document.linux.namespaces.shift();
  };
  const pids: number[] = [];
  for (const name of ['one', 'two']) {
    const { pid: started } = await client.request('start', pod.prepare(name, ['sleeper'], { config }));
    await pod.ready(name);
    pids.push(Number(started));
  }
  return { pod, client, pids };
}

const noZombies = (parent: number): boolean =>
  childrenOf(parent).every((pid) => !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));

describe('loss and end of a shim', () => {
  test('kill -9 of the shim ends every process of the pod', async () => {
    for (const pid of ['container', 'pod', 'host']) {
      const { pod, pids } = await running(pid);
      const all = [...pids, pod.infraPid];
      assert.ok(all.every(alive));
      process.kill(pod.shimPid, 'SIGKILL');
      await eventually('everything is gone', () => !all.some(alive));
      await pod.removeCgroups();
      // A new shim can take the directory over.
      assert.equal(pod.startShim(), undefined);
      assert.deepEqual(await pod.close(), []);
    }
  });

  test('the end of the infra process is the end of the sandbox, and is told', async () => {
    const { pod, client, pids } = await running();
    process.kill(pod.infraPid, 'SIGKILL');
    const lost = await client.event('lost');
    assert.match(String(lost.reason), /killed by signal 9/);
    for (const name of ['one', 'two']) assert.equal((await client.event('exit', name)).exit?.signal, 9);
    assert.ok(!pids.some(alive));
    assert.equal((await client.ask('start', pod.prepare('three', ['exit']))).error?.code, 'ENOTCONN');
    assert.equal((await client.request('hello')).protocol, 1);
    assert.deepEqual(await pod.close(), []);
  });

  test('shutdown ends everything and removes what the shim made', async () => {
    const { pod, client, pids } = await running();
    const [shim, infra] = [pod.shimPid, pod.infraPid];
    await client.request('shutdown');
    assert.deepEqual([pod.cgroupDirs(), existsSync(pod.socket)], [[], false]);
    assert.equal(existsSync(join(pod.dir, 'shim.pid')), false);
    assert.deepEqual(readdirSync(join(pod.dir, 'exits')).sort(), ['one-0.json', 'two-0.json']);
    await eventually('all have ended', () => ![shim, infra, ...pids].some(alive));
    assert.deepEqual(await pod.close(), []);
  });

  test('SIGTERM to the shim lets the containers end by themselves; HUP and INT do nothing', async () => {
    const { pod, client } = await running();
    const shim = pod.shimPid;
    process.kill(shim, 'SIGHUP');
    process.kill(shim, 'SIGINT');
    await client.request('hello');
    process.kill(shim, 'SIGTERM');
    await client.untilClosed();
    await eventually('the shim has ended', () => !alive(shim));
    const exit = JSON.parse(readFileSync(join(pod.dir, 'exits/one-0.json'), 'utf8'));
    assert.deepEqual([exit.exit.exitCode, exit.exit.signal], [0, 0]);
    assert.deepEqual(pod.cgroupDirs(), []);
    assert.deepEqual(await pod.close(), []);
  });

  test('no zombie stays below a shim', async () => {
    const { pod, client } = await running('host');
    const config = (document: { linux: { namespaces: object[] } }) => void document.linux.namespaces.shift();
    await client.request('start', pod.prepare('orphans', ['zombies', '20'], { config }));
    await pod.ready('orphans');
    await eventually('all orphans are reaped', () => childrenOf(pod.shimPid).length === 4 && noZombies(pod.shimPid));
    assert.deepEqual(await pod.close(), []);
  });
});

describe('a shim that cannot start', () => {
  const failure = async (prepare: (pod: ShimPod) => Parameters<ShimPod['startShim']>[0]) => {
    const pod = new ShimPod();
    const error = pod.startShim(prepare(pod));
    assert.deepEqual(pod.cgroupDirs(), []);
    assert.deepEqual(readdirSync(pod.dir), ['sandbox.json']);
    assert.deepEqual(await pod.close(), []);
    return error;
  };

  test('says which step failed and leaves nothing', async () => {
    const missing = await failure(() => ({ pause: '/nonexistent/pause' }));
    assert.deepEqual([missing?.step, missing?.code], ['infra-exec', 'ENOENT']);
    const sysctl = await failure(() => ({ sysctls: { 'kernel.core_pattern': 'x' } }));
    assert.deepEqual([sysctl?.step, sysctl?.code], ['sysctl', 'EPERM']);
    const unknown = await failure(() => ({ sysctls: { 'net.no.such.thing': '1' } }));
    assert.deepEqual([unknown?.step, unknown?.code], ['sysctl', 'ENOENT']);
    const limits = await failure(() => ({ resources: { memory: { limit: -7 } } }));
    assert.equal(limits?.code, 'EINVAL');
    const name = await failure(() => ({ hostname: 'not a host' }));
    assert.equal(name?.step, 'sandbox-config');
  });

  test('refuses a directory another shim serves', async () => {
    const pod = ShimPod.open();
    const shim = pod.shimPid;
    assert.deepEqual([pod.startShim()?.step, pod.shimPid], ['pod-dir', shim]);
    const client = await pod.connect();
    assert.equal((await client.request('hello')).pid, shim);
    assert.deepEqual(await pod.close(), []);
  });
});
