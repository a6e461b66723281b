import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { reapStrays } from '../../../src/runtime/reap.ts';
import { patience } from '../../patience.ts';
import { alive, Events, native, Rig, until } from './rig.ts';

describe('agent restart and lost sandboxes', { timeout: patience(120_000) }, () => {
  const rig = new Rig();
  after(async () => assert.deepEqual(await rig.close(), [], 'left behind'));

  test('a new agent finds the same processes and is told what ended meanwhile', async () => {
    const runtime = await rig.runtime();
    const pod = await runtime.create(rig.spec());
    const stays = await pod.start(rig.container(pod, 'stays', ['sleeper']));
    const ends = await pod.start(rig.container(pod, 'ends', ['exit', '5', '300']));
    runtime.detachAll();
    await until(() => !alive(ends.pid));

    const { sandboxes, lost } = await (await rig.runtime()).attachAll();
    assert.deepEqual(lost, []);
    const [again] = sandboxes;
    assert.ok(again);
    assert.equal(again.infraPid, pod.infraPid);
    assert.equal(again.startedAt, pod.startedAt);
    assert.deepEqual(again.spec, pod.spec);
    assert.deepEqual(
      again.containers().find(({ name }) => name === 'stays'),
      stays,
    );
    const exit = await new Events(again).next('exit');
    assert.deepEqual([exit.container, exit.exit.exitCode], ['ends', 5]);
    again.ack(exit.seq);
    await again.destroy();
  });

  test('what was acknowledged is not told again, what was not is', async () => {
    const runtime = await rig.runtime();
    const pod = await runtime.create(rig.spec());
    const events = new Events(pod);
    await pod.start(rig.container(pod, 'first', ['exit', '1']));
    pod.ack((await events.next('exit')).seq);
    await pod.start(rig.container(pod, 'second', ['exit', '2']));
    const unacknowledged = await events.next('exit');
    runtime.detachAll();

    const { sandboxes } = await (await rig.runtime()).attachAll();
    const [again] = sandboxes;
    assert.ok(again);
    const replayed = new Events(again);
    assert.deepEqual(await replayed.next('exit'), unacknowledged);
    assert.deepEqual(replayed.all, []);
    await again.destroy();
  });

  test('a killed shim is reported lost after the exits it left, and its processes are gone', async () => {
    const pod = await (await rig.runtime()).create(rig.spec());
    const events = new Events(pod);
    const { pid } = await pod.start(rig.container(pod, 'main', ['sleeper']));
    process.kill(pod.shimPid, 'SIGKILL');
    const lost = await events.next('lost');
    assert.match(lost.reason, /shim/);
    assert.ok(!alive(pid) && !alive(pod.infraPid));
    await assert.rejects(pod.start(rig.container(pod, 'late', ['sleeper'])), { code: 'ESHIMLOST' });
    await pod.destroy();
    assert.deepEqual(rig.ports(), []);
  });

  test('a dead infra process is a lost sandbox', async () => {
    const pod = await (await rig.runtime()).create(rig.spec());
    const events = new Events(pod);
    const { pid } = await pod.start(rig.container(pod, 'main', ['sleeper']));
    process.kill(pod.infraPid, 'SIGKILL');
    await events.next('lost');
    await until(() => !alive(pid));
    await pod.destroy();
  });

  test('a shim that died while no agent was there: cleared away, its exits handed over', async () => {
    const runtime = await rig.runtime();
    const pod = await runtime.create(rig.spec());
    const events = new Events(pod);
    await pod.start(rig.container(pod, 'done', ['exit', '4']));
    await events.next('exit');
    await pod.start(rig.container(pod, 'main', ['sleeper']));
    runtime.detachAll();
    process.kill(pod.shimPid, 'SIGKILL');
    await until(() => !alive(pod.infraPid));

    const { sandboxes, lost } = await (await rig.runtime()).attachAll();
    assert.deepEqual(sandboxes, []);
    const [found] = lost;
    assert.equal(found?.uid, pod.uid);
    assert.deepEqual(found?.spec, pod.spec);
    const [exit] = found?.exits ?? [];
    assert.deepEqual([exit?.name, exit?.attempt, exit?.exit?.exitCode], ['done', 0, 4]);
    assert.ok(!existsSync(join(rig.runDir, 'pods', pod.uid)));
    assert.deepEqual(rig.ports(), []);
  });

  test('a shim that hangs is killed with its pod', async () => {
    const runtime = await rig.runtime();
    const pod = await runtime.create(rig.spec());
    process.kill(pod.shimPid, 'SIGSTOP');
    runtime.detachAll();
    const { lost } = await (await rig.runtime()).attachAll();
    assert.equal(lost[0]?.uid, pod.uid);
    assert.ok(!alive(pod.infraPid) && !alive(pod.shimPid));
  });

  test('strays of this instance are removed, living sandboxes are not touched', async () => {
    const runtime = await rig.runtime();
    const living = await runtime.create(rig.spec());
    const stray = await runtime.create(rig.spec());
    const half = join(rig.runDir, 'pods', 'half-made');
    mkdirSync(join(half, 'tmp'), { recursive: true });
    writeFileSync(join(half, 'sandbox.json.tmp'), '{');
    await native.addon.mountTmpfs(join(half, 'tmp'), 65536, 0o700);
    stray.detach();

    const { addon } = native;
    const instance = { addon, runDir: rig.runDir, cgroupRoot: rig.names.cgroupRoot, network: rig.network };
    const reaped = await reapStrays(instance, [living.uid]);
    assert.deepEqual(reaped.cgroups, [`pod${stray.uid}`]);
    assert.deepEqual(reaped.dirs.sort(), ['half-made', stray.uid].sort());
    assert.ok(!alive(stray.infraPid));
    assert.ok(alive(living.infraPid));
    assert.deepEqual(rig.ports(), [rig.network.link(living.uid)]);
    await living.start(rig.container(living, 'main', ['sleeper']));
    await living.destroy();
    await stray.destroy();
  });
});
