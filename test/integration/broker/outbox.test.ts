/** What the device tells: nothing lost over outages, only the newest of retained topics, and not too much at a time. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startMosquitto } from '../mosquitto.ts';
import { manifest } from './device.ts';
import { device, eventually, operator, tempDir } from './helpers.ts';

const BASE = 'edgepod/devices/board-7';
const REPOSITORY = join(import.meta.dirname, '../../..');

describe('outbox over a real broker', () => {
  test('survives an outage and a restart of the device: newest retained only, every event, in order', async (t) => {
    const broker = await startMosquitto({ persistence: true });
    t.after(() => broker.stop());
    const database = join(tempDir(t), 'edgepod.db');
    const first = device(t, { url: broker.url, database });
    await eventually('connected', () => first.session.connected);
    await broker.kill9();
    await eventually('noticed', () => !first.session.connected);
    const status = first.topics.podStatus('default', 'web');
    for (let i = 1; i <= 200; i++) {
      first.store.outbox.addEvent(first.topics.events, (seq) => JSON.stringify({ seq }));
      first.store.outbox.putRetained(status, `status ${i}`);
    }
    await first.stop();

    await broker.restart();
    const ops = await operator(t, broker.url, [`${BASE}/#`]);
    const second = device(t, { url: broker.url, database });
    await eventually('empty', () => {
      const { retained, events } = second.store.outbox.counts();
      return retained === 0 && events === 0;
    });
    const of = (topic: string) => ops.seen.filter((message) => message.topic === topic).map(({ text }) => text);
    await eventually('all events', () => of(second.topics.events).length >= 200);
    assert.deepEqual(
      of(second.topics.events),
      Array.from({ length: 200 }, (_, i) => JSON.stringify({ seq: i + 1 })),
    );
    assert.deepEqual(of(status), ['status 200']);
    assert.equal(second.store.outbox.putRetained(status, 'status 200'), false);
  });

  test('the broker goes away in the middle of it, again and again', async (t) => {
    const broker = await startMosquitto({ persistence: true });
    t.after(() => broker.stop());
    const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    for (let round = 0; round < 3; round++) {
      await eventually('connected', () => board.session.connected);
      for (let i = 0; i < 100; i++) board.store.outbox.addEvent(board.topics.events, (seq) => `${seq}`);
      board.store.outbox.putRetained(board.topics.node, `round ${round}`);
      await broker.kill9();
      await broker.restart();
    }
    const ops = await operator(t, broker.url, [`${BASE}/#`]);
    await eventually('empty', () => board.store.outbox.counts().events === 0);
    await eventually('node', () => board.store.outbox.counts().retained === 0);
    board.store.outbox.republish();
    await eventually('newest node object', () => ops.last(board.topics.node) === 'round 2');
  });

  test('two thousand messages never exceed the receive maximum', async (t) => {
    const { url, most, received } = await countingBroker(t, { receiveMaximum: 5 });
    const board = device(t, { url, database: join(tempDir(t), 'edgepod.db'), eventLimit: 2000 });
    board.store.transaction(() => {
      for (let i = 0; i < 2000; i++) board.store.outbox.addEvent(board.topics.events, (seq) => `${seq}`);
    });
    await eventually('all', () => board.store.outbox.counts().events === 0);
    assert.equal(board.connections[0]?.window, 5);
    assert.ok(most() <= 5, `${most()} in flight`);
    assert.ok(received() >= 2000);
  });

  test('too large for the broker: dropped and told, the rest goes through, the link stays up', async (t) => {
    const broker = await startMosquitto({ extra: 'max_packet_size 2000' });
    t.after(() => broker.stop());
    const ops = await operator(t, broker.url, [`${BASE}/#`]);
    const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    board.store.outbox.putRetained(board.topics.node, 'x'.repeat(5000));
    board.store.outbox.addEvent(board.topics.events, () => 'small');
    await eventually('small', () => ops.last(board.topics.events) === 'small');
    assert.deepEqual(
      board.dropped.map(({ topic }) => topic),
      [board.topics.node],
    );
    assert.equal(ops.last(board.topics.node), undefined);
    assert.equal(board.connections.length, 1);
  });

  test('metrics are sent now or not at all', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const ops = await operator(t, broker.url, [`${BASE}/metrics`]);
    const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    assert.equal(board.session.publishQos0(board.topics.metrics, Buffer.from('early')), false);
    await eventually('connected', () => board.session.connected);
    assert.equal(board.session.publishQos0(board.topics.metrics, Buffer.from('now')), true);
    await eventually('now', () => ops.last(board.topics.metrics) === 'now');
    await broker.kill9();
    await eventually('noticed', () => !board.session.connected);
    assert.equal(board.session.publishQos0(board.topics.metrics, Buffer.from('late')), false);
    assert.equal(ops.seen.length, 1);
  });
});

test('the example access list: a device speaks for itself and reads only its own', async (t) => {
  const broker = await startMosquitto({
    acl: readFileSync(join(REPOSITORY, 'config/mosquitto.acl'), 'utf8'),
    passwords: { 'board-7': 'a', 'board-8': 'b', operator: 'c' },
  });
  t.after(() => broker.stop());
  const ops = await operator(t, broker.url, ['edgepod/#'], { username: 'operator', password: 'c' });
  const intruder = await operator(t, broker.url, ['edgepod/#', '$SYS/#'], { username: 'board-8', password: 'b' });
  const board = device(t, {
    url: broker.url,
    database: join(tempDir(t), 'edgepod.db'),
    access: { username: 'board-7', password: 'a' },
  });
  const desired = `${BASE}/desired/pods/default/web`;
  board.rpc.register('logs', async (params) => params);
  await eventually('connected', () => board.session.connected);
  const denied = [
    `${BASE}/presence`,
    `${BASE}/status/pods/default/web`,
    desired,
    `${BASE}/rpc/logs`,
    'edgepod/devices/board-8/rpc/logs',
    'edgepod/groups/all/desired/pods/default/web',
    'edgepod/devices/board-8/other',
    'somewhere/else',
  ];
  for (const topic of denied) {
    await assert.rejects(intruder.publish(topic, 'x', { retain: true }), /Not authorized/, topic);
  }
  for (const topic of [
    'node',
    'presence',
    'metrics',
    'events',
    'status/pods/default/web',
    'desired/pods/default/web',
  ]) {
    await intruder.publish(`edgepod/devices/board-8/${topic}`, '', { retain: true });
  }

  await ops.publish(desired, manifest('web'), { retain: true });
  await eventually('stored', () => board.store.objects.summaries('pods').length === 1);
  board.store.outbox.putRetained(board.topics.podStatus('default', 'web'), 'ok');
  board.store.outbox.putRetained(board.topics.node, 'ok');
  board.store.outbox.addEvent(board.topics.events, () => 'ok');
  board.store.outbox.putRetained('somewhere/else', 'refused');
  await eventually('all but the refused one', () => {
    const { retained, events } = board.store.outbox.counts();
    return retained === 1 && events === 0;
  });
  await ops.client.publishAsync(`${BASE}/rpc/logs`, '{"a":1}', {
    qos: 1,
    properties: { responseTopic: 'edgepod/clients/cli-1/rpc', correlationData: Buffer.from('c') },
  });
  await eventually('answer', () => ops.last('edgepod/clients/cli-1/rpc') === '{"result":{"a":1}}');
  await assert.rejects(ops.publish(`${BASE}/rpc/exec`, '{}'), /Not authorized/, 'commands need a line of their own');
  assert.deepEqual(
    intruder.seen.filter(({ topic }) => !topic.startsWith('edgepod/devices/board-8/desired')),
    [],
    'nothing of the others was delivered',
  );
});

test('the example configuration is one mosquitto accepts', async (t) => {
  const dir = tempDir(t);
  const text = readFileSync(join(REPOSITORY, 'config/mosquitto.conf'), 'utf8');
  // A certificate of our own, files of our own, free ports.
  const pem = ['-keyout', join(dir, 'broker.key'), '-out', join(dir, 'broker.crt'), '-subj', '/CN=localhost'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...pem], { stdio: 'ignore' });
  const rest = text
    .split('\n')
    .filter(
      (line) =>
        !/^(listener|cafile|certfile|keyfile|tls_version|password_file|acl_file|persistence|allow_anon)/.test(line),
    )
    .join('\n');
  assert.match(text, /^listener 8883$/m);
  const broker = await startMosquitto({ passwords: { 'board-7': 'a' }, extra: rest });
  t.after(() => broker.stop());
  assert.doesNotMatch(broker.log(), /Error|Unknown/);
});

/** A minimal MQTT 5 peer that counts unacknowledged QoS 1 publishes and answers late. */
async function countingBroker(t: import('node:test').TestContext, { receiveMaximum }: { receiveMaximum: number }) {
  let inFlight = 0;
  let most = 0;
  let received = 0;
  const server = createServer((socket) => {
    let buffered = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      for (let packet = nextPacket(buffered); packet; packet = nextPacket(buffered)) {
        buffered = buffered.subarray(packet.length);
        answer(socket, packet);
      }
    });
  });
  const answer = (socket: Socket, packet: Buffer) => {
    const type = (packet[0] ?? 0) >> 4;
    const body = packet.subarray(packet.length - nextLength(packet));
    if (type === 1) socket.write(Buffer.from([0x20, 6, 0, 0, 3, 0x21, 0, receiveMaximum]));
    if (type === 8) socket.write(Buffer.from([0x90, 5, body[0] ?? 0, body[1] ?? 0, 0, 1, 0]));
    if (type === 12) socket.write(Buffer.from([0xd0, 0]));
    if (type !== 3 || ((packet[0] ?? 0) & 6) !== 2) return;
    inFlight += 1;
    received += 1;
    most = Math.max(most, inFlight);
    const at = 2 + body.readUInt16BE(0);
    setTimeout(() => {
      inFlight -= 1;
      socket.write(Buffer.from([0x40, 2, body[at] ?? 0, body[at + 1] ?? 0]));
    }, 1);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  return { url: `mqtt://127.0.0.1:${port}`, most: () => most, received: () => received };
}

/** The first complete packet in `bytes`. */
function nextPacket(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 2) return undefined;
  const length = nextLength(bytes);
  const header = length < 128 ? 2 : length < 16_384 ? 3 : 4;
  return bytes.length < header + length ? undefined : bytes.subarray(0, header + length);
}

function nextLength(bytes: Buffer): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[1 + i] ?? 0;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) break;
  }
  return value;
}
