/** Nothing acknowledged is lost, and what was not acknowledged comes again, wherever the process dies. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openStore } from '../../../src/store/store.ts';
import { memoryLog } from '../../unit/store/temp-store.ts';
import { startMosquitto } from '../mosquitto.ts';
import { manifest } from './device.ts';
import { childDevice, device, eventually, operator, tempDir } from './helpers.ts';
import { tcpProxy } from './tcp-proxy.ts';

const DESIRED = 'edgepod/devices/board-7/desired/pods/default';
const WEB = `${DESIRED}/web`;

function storedNames(database: string): string[] {
  const store = openStore(database, { log: memoryLog(), now: () => new Date() });
  assert.equal(store.opened.state, 'ok');
  const names = store.objects.summaries('pods').map(({ name }) => name);
  store.close();
  return names;
}

describe('persist before PUBACK', () => {
  for (const dieAt of ['before-commit', 'before-puback'] as const) {
    test(`killed ${dieAt}: the broker sends it again to the next process`, async (t) => {
      const broker = await startMosquitto();
      t.after(() => broker.stop());
      const database = join(tempDir(t), 'edgepod.db');
      const config = { url: broker.url, database };
      const ops = await operator(t, broker.url, []);

      // The first life makes the session the broker keeps the message in.
      const first = childDevice(t, { ...config, dieAt });
      await eventually('connected', () => first.lines.some((line) => 'connected' in line));
      await eventually('subscribed', () => broker.log().includes('Sending SUBACK to board-7'));
      await ops.publish(WEB, manifest('web'));
      assert.equal(await first.ended, 'SIGKILL');
      assert.doesNotMatch(broker.log(), /Received PUBACK from board-7/);
      assert.deepEqual(storedNames(database), dieAt === 'before-commit' ? [] : ['web']);

      const second = childDevice(t, config);
      const line = await eventually('redelivery', () => second.lines.find((candidate) => 'action' in candidate));
      assert.deepEqual(line, { action: dieAt === 'before-commit' ? 'put' : 'same', name: 'web' });
      await eventually('acknowledged', () => broker.log().includes('Received PUBACK from board-7'));
      second.process.kill('SIGKILL');
      await second.ended;
      assert.deepEqual(storedNames(database), ['web']);
    });
  }

  test('killed at any moment of a stream: every acknowledged manifest is in the database', async (t) => {
    const broker = await startMosquitto({ extra: 'max_queued_messages 0' });
    t.after(() => broker.stop());
    const database = join(tempDir(t), 'edgepod.db');
    const ops = await operator(t, broker.url, []);
    let number = 0;
    for (let life = 0; life < 4; life++) {
      const child = childDevice(t, { url: broker.url, database });
      await eventually('connected', () => child.lines.some((line) => 'connected' in line));
      const target = child.lines.length + 5 + life * 17;
      const publishing = Array.from({ length: 200 }, () => {
        const name = `p${++number}`;
        return ops.publish(`${DESIRED}/${name}`, manifest(name));
      });
      await eventually('some stored', () => child.lines.length > target || child.process.exitCode !== null);
      child.process.kill('SIGKILL');
      await child.ended;
      await Promise.all(publishing);
    }
    const acknowledged = acknowledgedNames(broker.log());
    assert.ok(acknowledged.size > 0);
    const stored = new Set(storedNames(database));
    const lost = [...acknowledged].filter((name) => !stored.has(name));
    assert.deepEqual(lost, []);
    t.diagnostic(`${acknowledged.size} acknowledged, ${stored.size} stored of ${number}`);
  });
});

test('a store that is full: not acknowledged, the link dropped, and taken in once there is room', async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  let full = true;
  const board = device(t, {
    url: broker.url,
    database: join(tempDir(t), 'edgepod.db'),
    beforeCommit: () => {
      // Admission is not where a disk fills up, but an error that asks for redelivery is all the session sees of it.
      if (full) board.store.objects.put = refuse;
      else Reflect.deleteProperty(board.store.objects, 'put');
    },
  });
  const ops = await operator(t, broker.url, []);
  await eventually('connected', () => board.session.connected);
  await ops.publish(WEB, manifest('web'), { retain: true });
  await eventually('dropped the link', () => board.connections.length >= 2);
  assert.equal(board.store.objects.summaries('pods').length, 0);
  assert.doesNotMatch(broker.log(), /Received PUBACK from board-7/);
  full = false;
  await eventually('stored', () => board.store.objects.summaries('pods').length === 1);
  await eventually('acknowledged', () => broker.log().includes('Received PUBACK from board-7'));
});

test('a link that breaks in the middle of a burst: all arrive in the end', async (t) => {
  const broker = await startMosquitto({ extra: 'max_queued_messages 0' });
  t.after(() => broker.stop());
  const link = await tcpProxy(t, broker.port);
  let results = 0;
  const board = device(t, {
    url: link.url,
    database: join(tempDir(t), 'edgepod.db'),
    onResult: () => {
      results += 1;
      // What is in the receive buffer already is still handled; its acknowledgements get nowhere.
      if (results === 40) link.cut();
    },
  });
  const ops = await operator(t, broker.url, []);
  await eventually('connected', () => board.session.connected);
  await Promise.all(Array.from({ length: 300 }, (_, i) => ops.publish(`${DESIRED}/p${i}`, manifest(`p${i}`))));
  await eventually('all', () => board.store.objects.summaries('pods').length === 300);
  assert.ok(board.connections.length >= 2);
  assert.ok(results > 300, 'some came twice');
  assert.equal(board.connections.at(-1)?.sessionPresent, true);
});

/** From mosquitto's log: names of the manifests whose PUBACK it got. Packet ids are used again and again. */
function acknowledgedNames(log: string): Set<string> {
  const names = new Set<string>();
  const inFlight = new Map<string, string>();
  for (const line of log.split('\n')) {
    const sent = /Sending PUBLISH to board-7 \(d\d, q1, r\d, m(\d+), '.*\/([^/]+)'/.exec(line);
    if (sent) inFlight.set(sent[1] ?? '', sent[2] ?? '');
    const acked = /Received PUBACK from board-7 \(Mid: (\d+)/.exec(line);
    const name = acked && inFlight.get(acked[1] ?? '');
    if (name) names.add(name);
  }
  return names;
}

function refuse(): never {
  throw Object.assign(new Error('database or disk is full'), { code: 'E_STORE_FULL', retry: true });
}
