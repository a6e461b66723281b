import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Exit, ShimClient } from './shim-client.ts';
import { alive, openFds, ShimPod } from './shim-pod.ts';

describe('containers of a shim', () => {
  let pod: ShimPod;
  let client: ShimClient;
  before(async () => {
    pod = ShimPod.open();
    client = await pod.connect();
  });
  after(async () => assert.deepEqual(await pod.close(), []));

  test('starts, logs, exits; the exit is an event, a file and part of hello', async () => {
    const labels = { image: 'sha256:1', 'with"quote': '\u00e9' };
    const started = await client.request('start', pod.prepare('ok', ['print', '2', 'hello'], { labels }));
    assert.match(String(started.startedAt), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const { exit } = await client.event('exit', 'ok', 0);
    assert.deepEqual([exit?.exitCode, exit?.signal, exit?.oomKilled], [0, 0, false]);
    assert.equal(exit?.startedAt, started.startedAt);
    assert.ok(exit && exit.finishedAt > exit.startedAt);
    assert.deepEqual(pod.logLines('ok'), ['stdout F hello', 'stdout F hello']);
    const expected = { name: 'ok', attempt: 0, ...started, labels, exit };
    assert.deepEqual(JSON.parse(readFileSync(join(pod.dir, 'exits/ok-0.json'), 'utf8')), expected);
    const hello = await client.request('hello');
    assert.deepEqual(
      (hello.containers as { name: string }[]).find(({ name }) => name === 'ok'),
      expected,
    );
    await client.request('remove', { name: 'ok' });
    assert.deepEqual(pod.cgroupDirs('ok'), []);
  });

  test('reports exit codes and signals', async () => {
    await client.request('start', pod.prepare('code', ['exit', '7']));
    assert.equal((await client.event('exit', 'code')).exit?.exitCode, 7);
    await client.request('start', pod.prepare('signal', ['sleeper']));
    await client.request('signal', { name: 'signal', signal: 'SIGKILL' });
    const { exit } = await client.event('exit', 'signal');
    assert.deepEqual([exit?.exitCode, exit?.signal, exit?.oomKilled], [137, 9, false]);
    const again = await client.ask('signal', { name: 'signal', signal: 'SIGTERM' });
    assert.equal(again.error?.code, 'ESRCH');
  });

  test('stop sends the signal and lets the container end by itself', async () => {
    await client.request('start', pod.prepare('soft', ['sleeper', '3']));
    await pod.ready('soft');
    await client.request('stop', { name: 'soft', signal: 'SIGTERM', graceMs: 60_000 });
    assert.equal((await client.event('exit', 'soft')).exit?.exitCode, 3);
    await client.request('stop', { name: 'soft', signal: 'SIGTERM', graceMs: 0 });
    await client.request('stop', { name: 'unknown', signal: 'SIGTERM', graceMs: 0 });
  });

  test('stop kills at the end of the grace; a second stop can only shorten it', async () => {
    await client.request('start', pod.prepare('hard', ['stubborn']));
    await pod.ready('hard');
    await client.request('stop', { name: 'hard', signal: 'SIGTERM', graceMs: 50 });
    assert.equal((await client.event('exit', 'hard')).exit?.signal, 9);

    await client.request('start', pod.prepare('sooner', ['stubborn']));
    await pod.ready('sooner');
    await client.request('stop', { name: 'sooner', signal: 'SIGTERM', graceMs: 3_600_000 });
    await client.request('stop', { name: 'sooner', signal: 'SIGTERM', graceMs: 50 });
    await client.request('stop', { name: 'sooner', signal: 'SIGTERM', graceMs: 3_600_000 });
    assert.equal((await client.event('exit', 'sooner')).exit?.signal, 9);
  });

  test('what a container leaves running ends with its first process', async () => {
    const config = (document: { linux: { namespaces: object[] } }) => {
      // Without a PID namespace of its own nothing but the shim ends the others.
      document.linux.namespaces = document.linux.namespaces.slice(1);
    };
    await client.request('start', pod.prepare('family', ['offspring', 'exit'], { config }));
    assert.equal((await client.event('exit', 'family')).exit?.exitCode, 0);
    assert.deepEqual(pod.logLines('family'), ['stdout F ready']);
    await client.request('remove', { name: 'family' });
    assert.deepEqual(pod.cgroupDirs('family'), []);
  });

  test('an OOM kill is told from any other SIGKILL', async () => {
    const config = (document: { linux: { resources: object } }) => {
      document.linux.resources = { memory: { limit: 32 << 20, swap: 32 << 20 } };
    };
    await client.request('start', pod.prepare('oom', ['hog', '100'], { config }));
    const { exit } = await client.event('exit', 'oom');
    assert.deepEqual([exit?.exitCode, exit?.oomKilled], [137, true]);
    await client.event('oom', 'oom');
  });

  test('a start that fails leaves nothing and says which step failed', async () => {
    const fds = openFds(pod.shimPid);
    const missing = pod.prepare('bad', ['exit'], { config: (document) => document.process.args.splice(0, 1, '/nope') });
    const { error } = await client.ask('start', missing);
    assert.deepEqual([error?.step, error?.code], ['exec', 'ENOENT']);
    const swapped = pod.prepare('bad', ['exit'], {
      config: (document) => Object.assign(document.linux, { cgroupsPath: `${pod.cgroup}/../other` }),
    });
    assert.equal((await client.ask('start', swapped)).error?.step, 'cgroup-create');
    const nowhere = { ...pod.prepare('bad', ['exit']), bundle: 'bundles/none-0' };
    assert.equal((await client.ask('start', nowhere)).error?.code, 'ENOENT');
    const limits = pod.prepare('bad', ['exit'], {
      config: (document) => Object.assign(document.linux, { resources: { memory: { limit: 'much' } } }),
    });
    assert.equal((await client.ask('start', limits)).error?.code, 'EINVAL');
    assert.deepEqual(pod.cgroupDirs('bad'), []);
    assert.equal(existsSync(pod.logPath('bad')), false);
    assert.deepEqual(readdirSync(join(pod.dir, 'bundles/bad-0/rootfs')), []);
    assert.equal(openFds(pod.shimPid), fds);
  });

  test('starts asked for at once come out each for itself; what is asked behind them finds them started', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `burst-${index}`);
    const missing = pod.prepare('absent', ['exit'], {
      config: (document) => document.process.args.splice(0, 1, '/nope'),
    });
    const starts = names.map((name) => client.request('start', pod.prepare(name, ['sleeper', '3'])));
    const failed = client.ask('start', missing);
    const taken = client.ask('start', pod.prepare('burst-0', ['exit'], { attempt: 1 }));
    const signalled = client.request('signal', { name: 'burst-7', signal: 'SIGKILL' });
    const pids = (await Promise.all(starts)).map(({ pid }) => pid as number);
    assert.equal(new Set(pids).size, names.length);
    assert.ok(pids.slice(0, 7).every(alive));
    const { error } = await failed;
    assert.deepEqual([error?.step, error?.code, (await taken).error?.code], ['exec', 'ENOENT', 'EEXIST']);
    await signalled;
    assert.equal((await client.event('exit', 'burst-7')).exit?.signal, 9);
    for (const name of names) await client.request('kill', { name });
    for (const name of names) await client.event('exit', name);
    for (const name of names) await client.request('remove', { name });
    assert.deepEqual(pod.cgroupDirs('absent'), []);
  });

  test('a running name is taken, an ended one may be started again', async () => {
    await client.request('start', pod.prepare('twice', ['sleeper']));
    assert.equal((await client.ask('start', pod.prepare('twice', ['exit'], { attempt: 1 }))).error?.code, 'EEXIST');
    assert.equal((await client.ask('remove', { name: 'twice' })).error?.code, 'EBUSY');
    await client.request('kill', { name: 'twice' });
    await client.event('exit', 'twice', 0);
    await client.request('start', pod.prepare('twice', ['exit'], { attempt: 1 }));
    await client.event('exit', 'twice', 1);
  });

  test('200 containers come and go without leaving anything', async () => {
    await client.request('start', pod.prepare('cycle', ['exit']));
    await client.event('exit', 'cycle', 0);
    await client.request('remove', { name: 'cycle' });
    const fds = openFds(pod.shimPid);
    for (let attempt = 1; attempt <= 200; attempt++) {
      await client.request('start', pod.prepare('cycle', ['exit', String(attempt % 100)], { attempt }));
      const { seq, exit } = await client.event('exit', 'cycle', attempt);
      assert.equal((exit as Exit).exitCode, attempt % 100);
      await client.request('ack', { seq });
      await client.request('remove', { name: 'cycle' });
    }
    assert.equal(openFds(pod.shimPid), fds);
    assert.deepEqual(pod.cgroupDirs('cycle'), []);
    // The first was removed before it was acknowledged.
    const exits = readdirSync(join(pod.dir, 'exits')).filter((name) => name.startsWith('cycle'));
    assert.deepEqual(exits, []);
    assert.ok(alive(pod.shimPid));
  });
});
