import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { SHIMCTL } from './native.ts';
import type { ShimClient } from './shim-client.ts';
import { openFds, ShimPod } from './shim-pod.ts';

describe('bad messages to a shim', () => {
  let pod: ShimPod;
  let client: ShimClient;
  before(async () => {
    pod = ShimPod.open();
    client = await pod.connect();
  });
  after(async () => assert.deepEqual(await pod.close(), []));

  const hex = (value: string): string => `!hex ${Buffer.from(value, 'latin1').toString('hex')}`;

  test('each is answered with an error; the connection and the pod live on', async () => {
    const bad = [
      'nonsense',
      '[]',
      '{"method":"hello"}',
      `{"id":1,"method":"${'x'.repeat(100)}"}`,
      hex('{"id":1,"method":"he\xffllo"}'),
      hex('{"id":1,"method":"hello\0"}'),
      hex('['.repeat(60_000)),
      '!size 65536',
      '!size 65537',
      '!size 150000',
    ];
    for (const line of bad) {
      const seen = client.messages.length;
      client.line(line);
      await client.when(`an answer to ${line.slice(0, 40)}`, () => client.messages.length > seen);
      assert.ok(client.messages[seen]?.error, line.slice(0, 40));
    }
    assert.equal((await client.request('hello')).protocol, 1);
  });

  test('parameters out of range are refused by name', async () => {
    const cases: [string, object, RegExp][] = [
      ['start', { name: '../x' }, /params\.name/],
      ['start', { name: 'a', attempt: -1 }, /params\.attempt/],
      ['start', { name: 'a', attempt: 0, bundle: '../../etc' }, /params\.bundle/],
      ['stop', { name: 'a', graceMs: 1e300 }, /params\.graceMs/],
      ['stop', { name: 'a', graceMs: 0, signal: 'SIGNONE' }, /params\.signal/],
      ['exec', { name: 'a', args: [] }, /params\.args/],
      ['exec', { name: 'a', args: ['x'], maxOutput: 1 << 20 }, /params\.maxOutput/],
      ['update', { name: 'a' }, /params\.resources/],
      ['remove', {}, /params\.name/],
      ['nothing', {}, /method/],
    ];
    for (const [method, params, expected] of cases)
      assert.match(String((await client.ask(method, params)).error?.detail), expected);
  });

  test('descriptors nobody asked for are closed', async () => {
    const fds = openFds(pod.shimPid);
    for (const count of [1, 2, 3]) await client.request('hello', {}, `!fds ${'/dev/null '.repeat(count)}`);
    for (const count of [4, 6]) {
      const seen = client.messages.length;
      client.line(`!fds ${'/dev/null '.repeat(count)}{"id":1,"method":"hello"}`);
      await client.when('an answer', () => client.messages.length > seen);
      assert.match(String(client.messages[seen]?.error?.detail), /more than 3 descriptors/);
    }
    client.line('!fds /dev/null /dev/null /dev/null {"garbage"');
    await client.request('hello');
    assert.equal(openFds(pod.shimPid), fds);
  });

  test('another user is turned away, nothing is abstract, modes are tight', () => {
    const { stdout } = spawnSync(
      'setpriv',
      ['--reuid=65534', '--regid=65534', '--clear-groups', '--', SHIMCTL, pod.socket],
      {
        input: '{"id":1,"method":"hello"}\n',
      },
    );
    assert.equal(stdout.toString().includes('result'), false);
    assert.equal(statSync(pod.socket).mode & 0o777, 0o600);
    const abstract = readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .filter((line) => /@.*(edgepod|shim)/.test(line));
    assert.deepEqual(abstract, []);
  });
});
