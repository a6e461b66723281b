import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readLog } from '../../../src/runtime/logs/read.ts';
import type { ShimRuntime } from '../../../src/runtime/runtime.ts';
import { patience } from '../../patience.ts';
import { alive, Events, native, Rig, ready } from './rig.ts';

describe('sandbox', { timeout: patience(120_000) }, () => {
  const rig = new Rig();
  let runtime: ShimRuntime;
  before(async () => {
    runtime = await rig.runtime();
  });
  after(async () => assert.deepEqual(await rig.close(), [], 'left behind'));

  test('runs containers, reports their ends once, and forgets what was removed', async () => {
    const pod = await runtime.create(rig.spec());
    const events = new Events(pod);
    const server = await pod.start(rig.container(pod, 'server', ['sleeper', '7']));
    assert.ok(alive(server.pid));
    assert.deepEqual(server.labels, { container: 'server' });
    await pod.start(rig.container(pod, 'once', ['exit', '3']));

    const once = await events.next('exit');
    assert.deepEqual([once.container, once.attempt, once.exit.exitCode, once.exit.signal], ['once', 0, 3, 0]);
    assert.equal(pod.containers().find(({ name }) => name === 'once')?.exit?.exitCode, 3);
    pod.ack(once.seq);

    await ready(rig, pod, 'server');
    await pod.stop('server', 'SIGTERM', patience(10_000));
    const stopped = await events.next('exit');
    assert.deepEqual([stopped.container, stopped.exit.exitCode], ['server', 7]);
    assert.ok(stopped.seq > once.seq);

    await pod.remove('once');
    assert.deepEqual(
      pod.containers().map(({ name }) => name),
      ['server'],
    );
    assert.deepEqual(readdirSync(join(rig.runDir, 'pods', pod.uid, 'bundles')), ['server-0']);

    await pod.destroy();
    await pod.destroy();
    assert.deepEqual(readdirSync(join(rig.runDir, 'pods')), []);
    assert.deepEqual(runtime.sandboxes(), []);
  });

  test('a restart is a new attempt with a log of its own', async () => {
    const pod = await runtime.create(rig.spec());
    const events = new Events(pod);
    for (const attempt of [0, 1]) {
      await pod.start(rig.container(pod, 'job', ['print', '2', `attempt ${attempt}`], attempt));
      assert.equal((await events.next('exit')).attempt, attempt);
      if (attempt === 0) await pod.remove('job');
    }
    const dir = rig.logDir(pod.uid, 'job');
    const texts = async (options: { previous?: boolean } = {}) => {
      const lines: string[] = [];
      for await (const { text } of readLog({ dir, ...options })) lines.push(text);
      return lines;
    };
    assert.deepEqual(await texts(), ['attempt 1', 'attempt 1']);
    assert.deepEqual(await texts({ previous: true }), ['attempt 0', 'attempt 0']);
    await pod.destroy();
  });

  test('events that came before the listener are given to it', async () => {
    const pod = await runtime.create(rig.spec());
    await pod.start(rig.container(pod, 'quick', ['exit', '0']));
    while (!pod.containers()[0]?.exit) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await new Events(pod).next('exit')).container, 'quick');
    await pod.destroy();
  });

  test('a command that does not exist fails with its step and leaves no container', async () => {
    const pod = await runtime.create(rig.spec());
    const container = rig.container(pod, 'broken', ['sleeper']);
    (container.config as { process: { args: string[] } }).process.args = ['/bin/no-such-program'];
    await assert.rejects(pod.start(container), (error: { code?: string; step?: string; object?: string }) => {
      assert.equal(error.code, 'ENOENT');
      assert.ok(error.step);
      assert.equal(error.object, pod.uid);
      return true;
    });
    assert.deepEqual(pod.containers(), []);
    assert.deepEqual(readdirSync(join(rig.runDir, 'pods', pod.uid, 'bundles')), []);
    await pod.destroy();
  });

  test('a configuration over 1 MiB is refused before it is written', async () => {
    const pod = await runtime.create(rig.spec());
    const container = rig.container(pod, 'huge', ['sleeper']);
    (container.config as { process: { env: string[] } }).process.env = ['A='.padEnd(1 << 20, 'x')];
    await assert.rejects(pod.start(container), { code: 'E2BIG', step: 'bundle-write' });
    await pod.destroy();
  });

  test('captured exec: output, exit code, truncation, timeout', async () => {
    const pod = await runtime.create(rig.spec());
    await pod.start(rig.container(pod, 'main', ['sleeper']));
    rig.container(pod, 'other', ['print']); // puts the programs into the image
    rig.container(pod, 'other', ['exit']);
    const run = (args: string[], options: { timeoutMs?: number; maxOutput?: number } = {}) =>
      pod.exec('main', { args, timeoutMs: patience(10_000), maxOutput: 1 << 20, ...options });

    const printed = await run(['/bin/print', '2', 'hello']);
    assert.deepEqual([printed.exitCode, Buffer.from(printed.stdout).toString()], [0, 'hello\nhello\n']);
    assert.equal((await run(['/bin/exit', '9'])).exitCode, 9);
    const long = await run(['/bin/print', '10000', 'x'.repeat(20)], { maxOutput: 100 });
    assert.deepEqual([long.truncated, long.stdout.length], [true, 100]);
    assert.equal((await run(['/bin/exit', '0', '60000'], { timeoutMs: 50 })).timedOut, true);
    await assert.rejects(run(['/bin/no-such-program']), { code: 'ENOENT' });
    await assert.rejects(pod.exec('nobody', { args: ['/bin/exit'], timeoutMs: 1000, maxOutput: 10 }), {
      name: 'RuntimeError',
    });
    await pod.destroy();
  });

  test('exec on passed descriptors', async () => {
    const pod = await runtime.create(rig.spec());
    await pod.start(rig.container(pod, 'main', ['sleeper']));
    rig.container(pod, 'other', ['print']);
    const path = join(rig.base, 'attached');
    const nothing = openSync('/dev/null', 'r');
    const output = openSync(path, 'w');
    const args = ['/bin/print', '3', 'attached'];
    const { pid, ended } = await pod.attach('main', { args, timeoutMs: patience(10_000) }, [nothing, output, output]);
    assert.ok(pid > 0);
    assert.deepEqual((await ended).exitCode, 0);
    closeSync(nothing);
    closeSync(output);
    assert.equal(readFileSync(path, 'utf8'), 'attached\n'.repeat(3));
    await pod.destroy();
  });

  test('a second sandbox for the same pod is refused', async () => {
    const spec = rig.spec();
    const pod = await runtime.create(spec);
    await assert.rejects(runtime.create(spec), { code: 'EEXIST', object: spec.uid });
    await pod.destroy();
    await (await runtime.create(spec)).destroy();
  });

  test('a sandbox the shim refuses leaves nothing', async () => {
    const spec = rig.spec({ hostname: 'x'.repeat(300) });
    await assert.rejects(runtime.create(spec), (error: { step?: string; object?: string }) => {
      assert.ok(error.step);
      assert.equal(error.object, spec.uid);
      return true;
    });
    assert.deepEqual(readdirSync(join(rig.runDir, 'pods')), []);
    assert.deepEqual(rig.ports(), []);
  });

  test('a uid that is no name is refused', async () => {
    for (const uid of ['../x', '', '.', 'a/b', 'x'.repeat(200)])
      await assert.rejects(runtime.create(rig.spec({ uid })), { code: 'EINVAL' });
  });

  test('no descriptors are left open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 3; round++) {
      const pod = await runtime.create(rig.spec());
      await pod.start(rig.container(pod, 'main', ['sleeper']));
      await pod.destroy();
    }
    await native.addon.readProcesses([process.pid], false);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});
