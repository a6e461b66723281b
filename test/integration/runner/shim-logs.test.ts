import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ShimClient } from './shim-client.ts';
import { ShimPod } from './shim-pod.ts';

const hex = (value: string): string => Buffer.from(value, 'latin1').toString('hex');

describe('container logs of a shim', () => {
  let pod: ShimPod;
  let client: ShimClient;
  before(async () => {
    pod = ShimPod.open();
    client = await pod.connect();
  });
  after(async () => assert.deepEqual(await pod.close(), []));

  const run = async (name: string, args: string[], log: object = {}): Promise<string[]> => {
    await client.request('start', pod.prepare(name, args, { log }));
    await client.event('exit', name);
    return pod.logLines(name);
  };

  test('lines are joined across writes, streams are kept apart, the rest is a part', async () => {
    const lines = await run('lines', ['emit', '-s', '5', hex('one\ntw'), `2:${hex('e1\n')}`, hex('o\n'), hex('tail')]);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('stdout')),
      ['stdout F one', 'stdout F two', 'stdout P tail'],
    );
    assert.ok(lines.includes('stderr F e1'));
  });

  test('everything written before the end is in the log when the exit is told', async () => {
    const lines = await run('much', ['print', '20000', 'x'.repeat(100)], { maxBytes: 100 << 20 });
    assert.equal(lines.length, 20000);
  });

  test('long lines are cut at 16 KiB', async () => {
    const lines = await run('long', ['emit', '40000*61', hex('\n')]);
    assert.deepEqual(
      lines.map((line) => [line.slice(0, 9), line.length - 9]),
      [
        ['stdout P ', 16384],
        ['stdout P ', 16384],
        ['stdout F ', 40000 - 2 * 16384],
      ],
    );
  });

  test('bytes come through as they are', async () => {
    const all = Array.from({ length: 256 }, (_, i) => i).filter((byte) => byte !== 10);
    await run('binary', ['emit', Buffer.from([...all, 10]).toString('hex')]);
    const content = readFileSync(pod.logPath('binary'));
    assert.deepEqual([...content.subarray(content.indexOf(' stdout F ') + 10)], [...all, 10]);
  });

  test('rotates by size and keeps the asked number of files', async () => {
    await run('rotate', ['print', '5000', 'y'.repeat(60)], { maxBytes: 50_000, maxFiles: 3 });
    const dir = dirname(pod.logPath('rotate'));
    const names = readdirSync(dir).sort();
    assert.equal(names.length, 3);
    assert.equal(names[0], '0.log');
    assert.match(names[1] ?? '', /^0\.log\.\d{8}-\d{6}(\.\d{5})?$/);
    for (const name of names) {
      assert.ok(statSync(join(dir, name)).size <= 50_000);
      assert.equal(statSync(join(dir, name)).mode & 0o777, 0o640);
    }
  });

  test('each attempt has a file of its own', async () => {
    await run('again', ['print', '1', 'first']);
    await client.request('start', pod.prepare('again', ['print', '1', 'second'], { attempt: 1 }));
    await client.event('exit', 'again', 1);
    assert.deepEqual([pod.logLines('again', 0), pod.logLines('again', 1)], [['stdout F first'], ['stdout F second']]);
  });

  test('a container that closes its output runs on', async () => {
    const config = (document: { process: { args: string[] } }) => {
      document.process.args = ['/bin/exit', '5', '100'];
    };
    await client.request('start', pod.prepare('silent', ['exit'], { config }));
    assert.equal((await client.event('exit', 'silent')).exit?.exitCode, 5);
    assert.deepEqual(pod.logLines('silent'), []);
  });

  test('a log path that leads elsewhere is refused', async () => {
    const params = pod.prepare('evil', ['exit']) as { log: { path: string } };
    mkdirSync(dirname(dirname(params.log.path)), { recursive: true });
    symlinkSync('/etc', dirname(params.log.path));
    const { error } = await client.ask('start', params);
    assert.deepEqual([error?.step, error?.code], ['log-open', 'ENOTDIR']);
    assert.deepEqual(pod.cgroupDirs('evil'), []);
  });
});
