/** Presence, retained state, reconnecting, and brokers that are not as they should be. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startMosquitto } from '../mosquitto.ts';
import { manifest } from './device.ts';
import { childDevice, device, eventually, operator, tempDir } from './helpers.ts';
import { tcpProxy } from './tcp-proxy.ts';

const BASE = 'edgepod/devices/board-7';
const PRESENCE = `${BASE}/presence`;
const state = (text: string | undefined) => JSON.parse(text || '{}') as { state?: string; session?: number };

describe('presence', () => {
  test('online, lost by Will after a kill with the same number, online with a higher one, offline', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const ops = await operator(t, broker.url, [PRESENCE]);
    const config = { url: broker.url, database: join(tempDir(t), 'edgepod.db') };
    const first = childDevice(t, config);
    await eventually('online', () => state(ops.last(PRESENCE)).state === 'online');
    const { session = 0 } = state(ops.last(PRESENCE));
    first.process.kill('SIGKILL');
    await eventually('lost', () => state(ops.last(PRESENCE)).state === 'lost');
    assert.deepEqual(state(ops.last(PRESENCE)), { state: 'lost', bootId: 'boot-1', session, agentVersion: '0.0.0' });

    const second = childDevice(t, config);
    await eventually('online again', () => state(ops.last(PRESENCE)).state === 'online');
    assert.equal(state(ops.last(PRESENCE)).session, session + 1);
    second.process.kill('SIGTERM');
    await second.ended;
    await eventually('offline', () => state(ops.last(PRESENCE)).state === 'offline');
    assert.deepEqual(
      ops.seen.map(({ text }) => state(text).state),
      ['online', 'lost', 'online', 'offline'],
    );
    const late = await operator(t, broker.url, [PRESENCE]);
    await eventually('retained', () => late.seen.length > 0);
    assert.equal(late.seen[0]?.retain, true);
    assert.equal(state(late.seen[0]?.text).state, 'offline');
  });

  test('every connection has a higher number, attempts without a broker use none', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const link = await tcpProxy(t, broker.port);
    const board = device(t, { url: link.url, database: join(tempDir(t), 'edgepod.db') });
    await eventually('connected', () => board.connections.length === 1);
    link.cut();
    await eventually('again', () => board.connections.length === 2);
    await broker.kill9();
    const tries = link.accepted();
    await eventually('attempts', () => link.accepted() >= tries + 3);
    await broker.restart();
    await eventually('third', () => board.connections.length === 3);
    const [a = 0, b = 0, c = 0] = board.connections.map(({ session }) => session);
    assert.deepEqual([b - a, c - b], [1, 1]);
  });

  test('stopping without a broker is quick and quiet', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    await eventually('connected', () => board.session.connected);
    await broker.kill9();
    await eventually('noticed', () => !board.session.connected);
    board.store.outbox.addEvent('e', () => 'x');
    await board.session.stop();
    assert.equal(board.session.state, 'stopped');
  });
});

describe('retained state', () => {
  test('is read again at every connect, whatever the broker remembers of us', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const ops = await operator(t, broker.url, []);
    const web = `${BASE}/desired/pods/default/web`;
    await ops.publish(web, manifest('web'), { retain: true });
    await ops.publish('edgepod/groups/canary/desired/pods/default/web', manifest('web', 'canary'), { retain: true });
    await ops.publish('edgepod/groups/other/desired/pods/default/web', manifest('web'), { retain: true });
    const link = await tcpProxy(t, broker.port);
    const board = device(t, { url: link.url, database: join(tempDir(t), 'edgepod.db'), groups: ['canary'] });
    await eventually('both', () => board.results.length === 2);
    assert.deepEqual(
      board.results.map(({ action }) => action),
      ['put', 'put'],
    );
    assert.equal(board.store.objects.effectiveOne('pods', 'default', 'web')?.source, 'device');
    const before = board.store.objects.newestSeq();
    await eventually('acknowledged', () => broker.log().split('Received PUBACK from board-7').length === 3);

    link.cut();
    await eventually('both again', () => board.results.length === 4);
    assert.deepEqual(
      board.results.slice(2).map(({ action, news }) => [action, news]),
      [
        ['same', false],
        ['same', false],
      ],
    );
    // The broker without persistence has forgotten everything: absence is no delete.
    await broker.kill9();
    await broker.restart();
    await eventually('third connection', () => board.connections.length === 3);
    assert.equal(board.connections.at(-1)?.sessionPresent, false);
    assert.equal(board.store.objects.newestSeq(), before);
    assert.equal(board.store.objects.summaries('pods').length, 1);
    const again = await operator(t, broker.url, []);
    await again.publish(web, '', { retain: true });
    await eventually('deleted', () => board.results.at(-1)?.action === 'deleted');
    assert.equal(board.store.objects.effectiveOne('pods', 'default', 'web')?.source, 'group:canary');
  });

  test('a tombstone, and its clearing by the device', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const ops = await operator(t, broker.url, []);
    const web = `${BASE}/desired/pods/default/web`;
    await ops.publish(web, manifest('web', '', { deletionTimestamp: '2026-01-01T00:00:00Z' }), { retain: true });
    const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    await eventually('tombstone', () => board.results[0]?.changed === 'tombstone');
    board.store.transaction(() => {
      board.store.objects.remove({ kind: 'pods', namespace: 'default', name: 'web', source: 'device' });
      board.store.outbox.putRetained(web, '');
    });
    await eventually('echo of the clearing', () => board.results.length === 2);
    assert.equal(board.results[1]?.action, 'ignored');
    const late = await operator(t, broker.url, [web, PRESENCE]);
    await eventually('presence', () => late.seen.length > 0);
    assert.equal(late.last(web), undefined);
  });

  test('ten thousand desired pods: all stored, still connected, nothing piled up', async (t) => {
    const broker = await startMosquitto({ extra: 'max_queued_messages 0' });
    t.after(() => broker.stop());
    const ops = await operator(t, broker.url, []);
    const count = 10_000;
    for (let i = 0; i < count; i += 1000) {
      await Promise.all(
        Array.from({ length: 1000 }, (_, j) =>
          ops.publish(`${BASE}/desired/pods/default/p${i + j}`, manifest(`p${i + j}`), { retain: true }),
        ),
      );
    }
    const heapBefore = process.memoryUsage().heapUsed;
    const started = performance.now();
    const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    let stored = 0;
    let heapMost = 0;
    await eventually('all stored', () => {
      for (const { action } of board.results.splice(0)) stored += action === 'put' ? 1 : 0;
      heapMost = Math.max(heapMost, process.memoryUsage().heapUsed);
      return stored === count;
    });
    const seconds = (performance.now() - started) / 1000;
    assert.equal(board.connections.length, 1);
    assert.equal(board.store.objects.summaries('pods').length, count);
    const rise = (heapMost - heapBefore) / 2 ** 20;
    t.diagnostic(`${count} manifests in ${seconds.toFixed(1)} s, heap rose by at most ${rise.toFixed(1)} MiB`);
    assert.ok(rise < 64, 'memory does not grow with the number of pods');
  });
});

describe('other brokers', () => {
  /** A peer that answers CONNECT by version: 5 is refused as a 3.1.1 broker does, 3.1.1 is passed on to the real one. */
  async function oldBroker(refusal: Buffer | undefined) {
    const versions: number[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (connectPacket) => {
        const version = connectPacket[connectPacket.indexOf('MQTT') + 4] ?? 0;
        versions.push(version);
        if (version === 5) refusal === undefined ? socket.end() : socket.end(refusal);
        // Accepted, nothing remembered.
        else socket.write(Buffer.from([0x20, 2, 0, 0]));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { url: `mqtt://127.0.0.1:${port}`, versions, server };
  }

  const refusals: Record<string, Buffer | undefined> = {
    'with return code 1': Buffer.from([0x20, 2, 0, 1]),
    'with reason code 132': Buffer.from([0x20, 3, 0, 132, 0]),
    'by closing': undefined,
  };
  for (const [name, refusal] of Object.entries(refusals)) {
    test(`MQTT 5 refused ${name}: 3.1.1 is spoken`, async (t) => {
      const old = await oldBroker(refusal);
      t.after(() => old.server.close());
      const board = device(t, { url: old.url, database: join(tempDir(t), 'edgepod.db') });
      await eventually('connected', () => board.session.connected);
      assert.equal(board.connections[0]?.protocolVersion, 4);
      assert.equal(old.versions.at(-1), 4);
      assert.equal(old.versions.length, refusal === undefined ? 4 : 2);
    });
  }

  test('with 3.1.1 all but rpc works: intake, outbox, presence', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    let refused = 0;
    // In front of the real broker: refuses version 5 and passes everything else through.
    const server = createServer((socket) => {
      socket.once('data', (first) => {
        if (first[first.indexOf('MQTT') + 4] === 5) {
          refused += 1;
          socket.end(Buffer.from([0x20, 2, 0, 1]));
          return;
        }
        const outer = connect(broker.port, '127.0.0.1');
        t.after(() => outer.destroy());
        outer.on('error', () => {});
        outer.write(first);
        socket.pipe(outer).pipe(socket);
      });
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const ops = await operator(t, broker.url, [`${BASE}/#`]);
    const board = device(t, { url: `mqtt://127.0.0.1:${port}`, database: join(tempDir(t), 'edgepod.db') });
    board.store.outbox.putRetained(board.topics.node, '{}');
    await ops.publish(`${BASE}/desired/pods/default/web`, manifest('web'), { retain: true });
    await eventually('stored', () => board.store.objects.summaries('pods').length === 1);
    await eventually('node', () => ops.last(board.topics.node) === '{}');
    assert.equal(state(ops.last(PRESENCE)).state, 'online');
    assert.equal(refused, 1);
    assert.doesNotMatch(broker.log(), /rpc/);
  });

  test('a wrong password is said once, and tried again', async (t) => {
    const broker = await startMosquitto({ passwords: { 'board-7': 'right' } });
    t.after(() => broker.stop());
    const board = device(t, {
      url: broker.url,
      database: join(tempDir(t), 'edgepod.db'),
      access: { username: 'board-7', password: 'wrong' },
    });
    await eventually('attempts', () => broker.log().split('not authorised').length > 3);
    const complaints = board.log.lines.filter(({ level }) => level === 'warn');
    assert.equal(complaints.length, 1);
    assert.match(complaints[0]?.message ?? '', /access list|password/);
  });

  test('two devices with one id do not fight every second, and it is said', async (t) => {
    const broker = await startMosquitto();
    t.after(() => broker.stop());
    const a = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    await eventually('first', () => a.session.connected);
    const b = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    await eventually('taken over', () => a.log.lines.some(({ fields }) => fields.event === 'broker.takeover'));
    assert.ok(b.connections.length >= 1);
  });

  test('a broker that talks garbage is left and tried again', async (t) => {
    const accepted: number[] = [];
    const server = createServer((socket) => {
      accepted.push(1);
      socket.on('error', () => {});
      // A good CONNACK, then a packet type that does not exist.
      socket.once('data', () => socket.write(Buffer.from([0x20, 3, 0, 0, 0, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff])));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const board = device(t, { url: `mqtt://127.0.0.1:${port}`, database: join(tempDir(t), 'edgepod.db') });
    await eventually('tried again', () => accepted.length >= 3);
    assert.ok(['waiting', 'connecting', 'connected'].includes(board.session.state));
  });
});
