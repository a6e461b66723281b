import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { RpcError } from '../../../src/broker/rpc-answer.ts';
import { type Mosquitto, startMosquitto } from '../mosquitto.ts';
import { device, eventually, operator, tempDir } from './helpers.ts';

const REPLY = 'edgepod/clients/cli-1/rpc';

interface Piece {
  body: { result?: unknown; error?: { code: string; message: string } };
  seq: string | undefined;
  end: string | undefined;
}

async function setUp(t: TestContext, extra = '') {
  const broker: Mosquitto = await startMosquitto({ extra });
  t.after(() => broker.stop());
  const board = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
  const ops = await operator(t, broker.url, ['edgepod/clients/cli-1/#']);
  await eventually('subscribed', () => broker.log().includes('Sending SUBACK to board-7'));
  const request = async (
    method: string,
    payload: string | Buffer,
    { correlation = 'c', reply = REPLY, cancel = false } = {},
  ) => {
    await ops.client.publishAsync(`edgepod/devices/board-7/rpc/${method}`, payload, {
      qos: 1,
      properties: {
        responseTopic: reply,
        correlationData: Buffer.from(correlation),
        ...(cancel && { userProperties: { cancel: 'true' } }),
      },
    });
  };
  const answers = (correlation = 'c'): Piece[] =>
    ops.seen
      .filter(({ packet }) => packet.properties?.correlationData?.toString() === correlation)
      .map(({ text, packet }) => {
        const { seq, end } = (packet.properties?.userProperties ?? {}) as Record<string, string>;
        return { body: JSON.parse(text) as Piece['body'], seq, end };
      });
  const whole = (correlation = 'c') =>
    eventually(`answer ${correlation}`, () => {
      const pieces = answers(correlation);
      return pieces.at(-1)?.end === 'true' ? pieces : undefined;
    });
  return { broker, board, ops, request, answers, whole };
}

describe('rpc', () => {
  test('one value, an error with a code, an unexpected error', async (t) => {
    const { board, request, whole } = await setUp(t);
    board.rpc.register('echo', async (params) => params);
    board.rpc.register('missing', async () => {
      throw new RpcError('NotFound', 'no such pod');
    });
    board.rpc.register('broken', async () => {
      throw new Error('oops');
    });
    await request('echo', '{"a":[1,"ü"]}', { correlation: '1' });
    assert.deepEqual(await whole('1'), [{ body: { result: { a: [1, 'ü'] } }, seq: '0', end: 'true' }]);
    await request('missing', '', { correlation: '2' });
    assert.deepEqual((await whole('2'))[0]?.body, { error: { code: 'NotFound', message: 'no such pod' } });
    await request('broken', '{}', { correlation: '3' });
    assert.deepEqual((await whole('3'))[0]?.body, { error: { code: 'Internal', message: 'oops' } });
    await request('unknown', '{}', { correlation: '4' });
    assert.equal((await whole('4'))[0]?.body.error?.code, 'UnknownMethod');
    await request('echo', '[1]', { correlation: '5' });
    assert.equal((await whole('5'))[0]?.body.error?.code, 'InvalidParams');
    await request('echo', Buffer.from([0xff]), { correlation: '6' });
    assert.equal((await whole('6'))[0]?.body.error?.code, 'InvalidParams');
    await request('echo', Buffer.alloc(70_000, ' '), { correlation: '7' });
    assert.equal((await whole('7'))[0]?.body.error?.code, 'TooLarge');
    assert.equal(board.connections.length, 1);
  });

  test('a stream, in order, each piece within what the broker takes', async (t) => {
    const { board, request, whole } = await setUp(t, 'max_packet_size 4000');
    const text = 'naïve 🚀 '.repeat(2000);
    board.rpc.register('logs', async function* () {
      yield 'first\n';
      yield text;
      yield { last: true };
    });
    board.rpc.register('big', async () => ({ x: 'x'.repeat(5000) }));
    await request('logs', '{}');
    const pieces = await whole();
    assert.deepEqual(
      pieces.map(({ seq }) => seq),
      pieces.map((_, i) => String(i)),
    );
    const results = pieces.map(({ body }) => body.result);
    assert.equal(results[0], 'first\n');
    assert.equal(results.slice(1, -2).join(''), text);
    assert.deepEqual(results.slice(-2), [{ last: true }, null]);
    await request('big', '{}', { correlation: 'big' });
    assert.equal((await whole('big'))[0]?.body.error?.code, 'TooLarge');
  });

  test('a cancel, a caller that is gone, and a broken link end the stream', async (t) => {
    const { board, ops, broker, request, answers } = await setUp(t);
    const ended: string[] = [];
    board.rpc.register('follow', async function* ({ id }, { signal }) {
      try {
        for (;;) {
          yield 'line';
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        ended.push(`${String(id)} ${signal.aborted}`);
      }
    });
    await request('follow', '{"id":"cancel"}', { correlation: 'x' });
    await eventually('lines', () => answers('x').length > 2);
    await request('follow', '', { correlation: 'x', cancel: true });
    await eventually('cancelled', () => ended.includes('cancel true'));

    await request('follow', '{"id":"gone"}', { correlation: 'y' });
    await eventually('lines', () => answers('y').length > 2);
    await ops.client.unsubscribeAsync('edgepod/clients/cli-1/#');
    await eventually('noticed that nobody listens', () => ended.some((end) => end.startsWith('gone')));

    await ops.client.subscribeAsync('edgepod/clients/cli-1/#', { qos: 1 });
    await request('follow', '{"id":"link"}', { correlation: 'z' });
    await eventually('lines', () => answers('z').length > 2);
    await broker.kill9();
    await eventually('link', () => ended.some((end) => end.startsWith('link')));
    await broker.restart();
  });

  test('not more calls than allowed, none twice, none without a reply topic of a client', async (t) => {
    const { board, request, whole } = await setUp(t);
    let calls = 0;
    const gate = Promise.withResolvers<void>();
    board.rpc.register('wait', async () => {
      calls += 1;
      await gate.promise;
      return calls;
    });
    board.rpc.register('echo', async (params) => params);
    for (let i = 0; i < 8; i++) await request('wait', '{}', { correlation: `w${i}` });
    await request('wait', '{}', { correlation: 'w0' });
    await request('echo', '{}', { correlation: 'one too many' });
    assert.equal((await whole('one too many'))[0]?.body.error?.code, 'Busy');
    assert.equal(calls, 8);
    gate.resolve();
    for (let i = 0; i < 8; i++) await whole(`w${i}`);
    for (const reply of ['edgepod/devices/board-7/presence', 'edgepod/devices/board-8/rpc/restart', 'elsewhere']) {
      await request('echo', '{}', { correlation: 'astray', reply });
    }
    await request('echo', '{"still":"there"}', { correlation: 'last' });
    assert.deepEqual((await whole('last'))[0]?.body, { result: { still: 'there' } });
    assert.ok(board.log.lines.some(({ fields }) => fields.event === 'rpc.ignored'));
  });

  test('a request for a device that is away is not carried out when it comes back', async (t) => {
    const { board, broker, request } = await setUp(t);
    let restarts = 0;
    board.rpc.register('restart', async () => {
      restarts += 1;
    });
    await broker.kill9();
    await eventually('noticed', () => !board.session.connected);
    const away = board.connections.length;
    await board.session.stop();
    await broker.restart();
    const again = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    again.rpc.register('restart', async () => {
      restarts += 1;
    });
    await eventually('the session is there', () => again.session.connected);
    await again.session.stop();
    await request('restart', '{}');
    const third = device(t, { url: broker.url, database: join(tempDir(t), 'edgepod.db') });
    third.rpc.register('restart', async () => {
      restarts += 1;
    });
    third.rpc.register('echo', async () => 'here');
    await eventually('back', () => third.connections[0]?.sessionPresent === true);
    await eventually('subscribed', () => broker.log().split('Sending SUBACK to board-7').length > away + 2);
    await request('echo', '{}', { correlation: 'e' });
    await eventually('answered', () => broker.log().includes('edgepod/clients/cli-1/rpc'));
    assert.equal(restarts, 0);
  });
});
