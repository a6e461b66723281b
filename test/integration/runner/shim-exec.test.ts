import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { patience } from '../../patience.ts';
import type { ShimClient } from './shim-client.ts';
import { eventually, openFds, ShimPod } from './shim-pod.ts';

const text = (value: unknown): string => Buffer.from(String(value), 'base64').toString('latin1');

describe('exec in a container of a shim', () => {
  let pod: ShimPod;
  let client: ShimClient;
  /** Processes in the container's cgroup, exec'ed ones included. */
  const processes = (): number =>
    new Set(
      pod
        .cgroupDirs('main')
        .flatMap((dir) => readFileSync(join(dir, 'cgroup.procs'), 'utf8').trim().split('\n').filter(Boolean)),
    ).size;
  before(async () => {
    pod = ShimPod.open();
    client = await pod.connect();
    for (const name of ['emit', 'exit', 'inspect', 'offspring', 'print', 'sleeper', 'put']) pod.addProgram(name);
    await client.request('start', pod.prepare('main', ['sleeper']));
    await pod.ready('main');
  });
  after(async () => assert.deepEqual(await pod.close(), []));

  const exec = (args: string[], params: object = {}) =>
    client.request('exec', {
      name: 'main',
      args: [`/bin/${args[0]}`, ...args.slice(1)],
      timeoutMs: patience(10_000),
      ...params,
    });

  test('captures output, exit code and signal', async () => {
    const result = await exec(['emit', '6f7574', '2:657272']);
    assert.deepEqual([text(result.stdout), text(result.stderr)], ['out', 'err']);
    assert.deepEqual([result.exitCode, result.signal, result.truncated, result.timedOut], [0, 0, false, false]);
    assert.equal((await exec(['exit', '42'])).exitCode, 42);
  });

  test('gives environment and working directory; adds nothing of the host', async () => {
    const result = await exec(['inspect', 'x'], { env: ['ADDED=1'], cwd: '/proc' });
    const lines = text(result.stdout).split('\n');
    assert.ok(lines.includes('env=ADDED=1') && lines.includes('cwd=/proc'));
    assert.deepEqual(
      lines.filter((line) => line.startsWith('fd=')).map((line) => line.split(' ')[0]),
      ['fd=0', 'fd=1', 'fd=2'],
    );
    assert.deepEqual(lines.filter((line) => line.startsWith('env=')).sort(), [
      'env=ADDED=1',
      'env=HOME=/',
      'env=PATH=/bin',
    ]);
  });

  test('keeps no more than asked of endless output, and lets the process end', async () => {
    const result = await exec(['emit', '8000000*78'], { maxOutput: 1000 });
    assert.deepEqual([text(result.stdout).length, result.truncated, result.exitCode], [1000, true, 0]);
  });

  test('a timeout kills everything the exec started, and nothing else', async () => {
    const before = processes();
    const result = await exec(['offspring'], { timeoutMs: 300 });
    assert.deepEqual([result.timedOut, result.signal, text(result.stdout)], [true, 9, 'ready\n']);
    await eventually('all of it is gone', () => processes() === before);
    assert.equal((await exec(['exit'])).exitCode, 0);
  });

  test('what it leaves in the background does not hold the answer up', async () => {
    const result = await exec(['offspring', 'exit']);
    assert.deepEqual([result.timedOut, result.exitCode], [false, 0]);
  });

  test('uses the descriptors that are passed', async () => {
    const [out, err] = [join(pod.base, 'out'), join(pod.base, 'err')];
    const prefix = `!fds /dev/null ${out} ${err} `;
    const started = await client.request('exec', { name: 'main', args: ['/bin/emit', '6f7574', '2:657272'] }, prefix);
    assert.ok(Number(started.pid) > 0);
    const { execExit } = await client.until('execExit', (message) => message.execExit?.execId === started.execId);
    assert.deepEqual([execExit?.exitCode, execExit?.signal], [0, 0]);
    assert.deepEqual([readFileSync(out, 'utf8'), readFileSync(err, 'utf8')], ['out', 'err']);
  });

  test('killExec ends an attached one and everything it started; one that is not there is no error', async () => {
    const before = processes();
    const params = { name: 'main', args: ['/bin/offspring'], timeoutMs: 60_000 };
    const { execId } = await client.request('exec', params, `!fds /dev/null /dev/null ${join(pod.base, 'killed')} `);
    await client.request('killExec', { execId });
    const { execExit } = await client.until('execExit', (message) => message.execExit?.execId === execId);
    assert.deepEqual([execExit?.exitCode, execExit?.signal], [137, 9]);
    await eventually('all of it is gone', () => processes() === before);
    await client.request('killExec', { execId });
  });

  test('many at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => exec(['print', '3', `text-${i}`], { timeoutMs: patience(60_000) })),
    );
    for (const [i, { stdout }] of results.entries()) assert.equal(text(stdout), `text-${i}\n`.repeat(3));
  });

  test('says why it cannot', async () => {
    const missing = await client.ask('exec', { name: 'main', args: ['/bin/nope'] });
    assert.deepEqual([missing.error?.step, missing.error?.code], ['exec', 'ENOENT']);
    assert.equal((await client.ask('exec', { name: 'other', args: ['x'] })).error?.code, 'ENOENT');
    const two = await client.ask('exec', { name: 'main', args: ['/bin/exit'] }, '!fds /dev/null /dev/null ');
    assert.equal(two.error?.code, 'EINVAL');
    await client.request('start', pod.prepare('gone', ['exit']));
    await client.event('exit', 'gone');
    assert.equal((await client.ask('exec', { name: 'gone', args: ['/bin/exit'] })).error?.code, 'ESRCH');
  });

  test('ends with its container; descriptors are given back', async () => {
    await client.request('start', pod.prepare('brief', ['sleeper']));
    await pod.ready('brief');
    const fds = openFds(pod.shimPid);
    const running = client.request('exec', { name: 'brief', args: ['/bin/sleeper'] });
    await client.request('kill', { name: 'brief' });
    assert.equal((await running).signal, 9);
    await client.event('exit', 'brief');
    await client.request('remove', { name: 'brief' });
    assert.ok(openFds(pod.shimPid) < fds);
  });
});
