/** `get --watch` beside a real broker: what comes is printed, what is broken is passed over, and it ends when told. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import mqtt, { type MqttClient } from 'mqtt';
import { EDGEPOD } from '../../edgepod.ts';
import { patience } from '../../patience.ts';
import { type Mosquitto, startMosquitto } from '../mosquitto.ts';

let mosquitto: Mosquitto;
let client: MqttClient;
before(async () => {
  mosquitto = await startMosquitto();
  client = await mqtt.connectAsync(mosquitto.url, { protocolVersion: 5 });
});
after(async () => {
  await client.endAsync(true);
  await mosquitto.stop();
});

const pod = (name: string, phase: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'c', image: 'i' }] },
  status: { phase, conditions: [], containerStatuses: [] },
});
const report = (name: string, phase: string) =>
  client.publishAsync(
    `edgepod/devices/board-7/status/pods/default/${name}`,
    phase === '' ? '' : JSON.stringify(pod(name, phase)),
    { qos: 1, retain: true },
  );

/** A command that goes on; `until` waits for text on its standard output. */
function edgepod(...args: string[]) {
  const child = spawn(EDGEPOD, args, {
    env: { ...process.env, EDGEPOD_BROKER: mosquitto.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  let wake = () => {};
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      said[name] += String(chunk);
      wake();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const until = async (wanted: RegExp) => {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`waited for ${wanted}: ${JSON.stringify(said)}`)),
      patience(20_000),
    );
    while (!wanted.test(said.stdout)) await Promise.race([new Promise<void>((resolve) => (wake = resolve)), promise]);
    clearTimeout(timer);
  };
  return { child, said, ended, until };
}

test('pods: rows under the table, in its columns; Ctrl-C ends it with 0', async () => {
  await report('web', 'Running');
  const watcher = edgepod('get', 'pods', '-d', 'board-7', '--watch');
  await watcher.until(/web .*Running/);
  // The first message may come before the subscription for changes: it is said again until it is seen.
  const again = setInterval(() => void report('db', 'Pending'), 100);
  await watcher.until(/db .*Pending/);
  clearInterval(again);
  watcher.child.kill('SIGINT');
  assert.deepEqual([await watcher.ended, watcher.said.stderr], [0, '']);
  const [heading = '', ...rows] = watcher.said.stdout.trimEnd().split('\n');
  assert.ok(
    rows.every((row) => /\S/.test(row[heading.indexOf('READY')] ?? '')),
    watcher.said.stdout,
  );
  for (const name of ['web', 'db']) await report(name, '');
});

test('events: what is no event is passed over', async () => {
  const all = edgepod('get', 'events', '--watch');
  await all.until(/REASON/);
  const event = {
    metadata: { name: 'e', namespace: 'default' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
    ...{ type: 'Normal', reason: 'Started', message: 'after what was broken', count: 1, seq: 1 },
    ...{ lastTimestamp: new Date().toISOString(), source: { component: 'edgepod', host: 'board-7' } },
  };
  const publish = () => {
    for (const payload of ['{', '7', '{}', '[]', JSON.stringify(event)])
      client.publish('edgepod/devices/board-7/events', payload);
  };
  const again = setInterval(publish, 100);
  await all.until(/after what was broken/);
  clearInterval(again);
  all.child.kill('SIGTERM');
  assert.deepEqual([await all.ended, all.said.stderr], [0, '']);
});

test('a reader that has enough ends it without a complaint', async () => {
  await report('web', 'Running');
  const watcher = edgepod('get', 'pods', '-A', '--watch');
  await watcher.until(/web/);
  watcher.child.stdout.destroy();
  const again = setInterval(() => void report('web', 'Pending').then(() => report('web', 'Running')), 100);
  assert.deepEqual([await watcher.ended, watcher.said.stderr], [0, '']);
  clearInterval(again);
  await report('web', '');
});

test('one object that is not there: nothing on standard output, the reason beside it', async () => {
  const asked = edgepod('get', 'pods', 'ghost', '-o', 'json');
  assert.equal(await asked.ended, 1);
  assert.deepEqual(asked.said, { stdout: '', stderr: 'error: pods "ghost" not found\n' });
});

test('a device that was only ever seen leaving is a Node object with a name', async () => {
  const presence = JSON.stringify({ state: 'lost', session: 1 });
  await client.publishAsync('edgepod/devices/shy/presence', presence, { qos: 1, retain: true });
  const asked = edgepod('get', 'devices', 'shy', '-o', 'json');
  assert.equal(await asked.ended, 0);
  assert.deepEqual(JSON.parse(asked.said.stdout), {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'shy' } },
    presence: { state: 'lost', session: 1 },
  });
});

test('a number that is none is refused, with the option', async () => {
  for (const args of [
    ['delete', 'pod', 'web', '-d', 'board-7', '--grace-period', 'soon'],
    ['logs', 'web', '--tail', '-1'],
  ]) {
    const asked = edgepod(...args);
    assert.equal(await asked.ended, 1);
    assert.match(asked.said.stderr, /option '--(grace-period <seconds>|tail <lines>)'.*expected a whole number/);
  }
});
