import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reconnectDelay } from '../../../src/broker/backoff.ts';
import { clientOptions, DEFAULT_LIMITS } from '../../../src/broker/client-options.ts';
import { LogLimiter } from '../../../src/broker/log-limiter.ts';
import { publishSize } from '../../../src/broker/packet-size.ts';
import { presence } from '../../../src/broker/presence.ts';
import { type AttemptOutcome, FIRST_CHOICE, nextProtocol } from '../../../src/broker/protocol-version.ts';
import { connectHint, isVersionRefusal, withHint } from '../../../src/broker/refusal.ts';
import { SendWindow } from '../../../src/broker/send-window.ts';

describe('reconnectDelay', () => {
  const table: [attempt: number, random: number, expected: number][] = [
    [0, 0, 100],
    [0, 0.5, 500],
    [0, 0.999, 999],
    [3, 0.5, 4000],
    [6, 0.5, 30_000],
    [100, 1, 60_000],
    [100, 0, 100],
  ];
  for (const [attempt, random, expected] of table) {
    test(`attempt ${attempt}, random ${random}: ${expected} ms`, () =>
      assert.equal(
        reconnectDelay(attempt, () => random),
        expected,
      ));
  }
});

describe('nextProtocol', () => {
  const table: [string, AttemptOutcome[], 4 | 5][] = [
    ['first', [], 5],
    ['unreachable', ['failed', 'failed', 'failed', 'failed'], 5],
    ['refused', ['version-refused'], 4],
    ['refused both ways', ['version-refused', 'version-refused'], 5],
    ['closed twice', ['closed-silently', 'closed-silently'], 5],
    ['closed three times', ['closed-silently', 'closed-silently', 'closed-silently'], 4],
    ['closed six times', Array<AttemptOutcome>(6).fill('closed-silently'), 5],
    ['lost after 3.1.1', ['version-refused', 'lost'], 5],
  ];
  for (const [name, outcomes, version] of table) {
    test(`${name}: ${version}`, () => assert.equal(outcomes.reduce(nextProtocol, FIRST_CHOICE).version, version));
  }
});

describe('send window', () => {
  test('hands slots out in order, tells of room, and closes', async () => {
    let room = 0;
    const window = new SendWindow(1, () => {
      room += 1;
    });
    const order: string[] = [];
    await window.take();
    const second = window.take().then(() => order.push('second'));
    const third = window.take().then(() => order.push('third'));
    assert.equal(window.free, 0);
    window.give();
    await second;
    window.give();
    await third;
    assert.deepEqual(order, ['second', 'third']);
    assert.equal(room, 0);
    window.give();
    assert.equal(room, 1);
    await window.take();
    const waiting = window.take();
    window.close();
    await assert.rejects(waiting, { code: 'link-down' });
    await assert.rejects(window.take(), { code: 'link-down' });
    window.give();
    assert.equal(window.free, 0);
    assert.equal(room, 1);
  });
});

test('the log limiter counts what it leaves out', () => {
  let now = 0;
  const limiter = new LogLimiter({ intervalMs: 100, monotonicMs: () => now });
  const written: number[] = [];
  const pass = (key: string) => limiter.pass(key, (suppressed) => written.push(suppressed));
  pass('a');
  pass('a');
  pass('b');
  now = 100;
  pass('a');
  assert.deepEqual(written, [0, 0, 1]);
});

test('publishSize is never below what MQTT encodes', () => {
  const size = publishSize('a/b', Buffer.alloc(100), { correlation: Buffer.alloc(4), userProperties: { seq: '1' } });
  // Fixed header 2, topic 2+3, packet id 2, property length 1, correlation 3+4, user property 1+2+3+2+1, payload.
  assert.ok(size >= 2 + 5 + 2 + 1 + 7 + 9 + 100);
});

test('presence carries state, boot, session and version', () => {
  assert.deepEqual(JSON.parse(presence('lost', 7, { bootId: 'b', agentVersion: '1.0' }).toString()), {
    state: 'lost',
    bootId: 'b',
    session: 7,
    agentVersion: '1.0',
  });
});

test('client options: what MQTT.js would get wrong by default', () => {
  const options = clientOptions({ url: 'mqtt://x', clientId: 'a', password: 'p' }, DEFAULT_LIMITS);
  assert.equal(options.clean, false);
  assert.equal(options.writeCache, false);
  assert.equal(options.queueQoSZero, false);
  assert.equal(options.resubscribe, false);
  assert.equal(options.reconnectOnConnackError, true);
  assert.ok(Number(options.properties?.sessionExpiryInterval) > 0);
  assert.ok(Number(options.properties?.maximumPacketSize) > 1_048_576);
  assert.equal('username' in options, false);
});

test('connection errors come with what to do', () => {
  assert.match(connectHint('ECONNREFUSED', new Date()) ?? '', /is the broker running/);
  assert.match(connectHint(134, new Date()) ?? '', /password/);
  assert.match(connectHint('CERT_NOT_YET_VALID', new Date(0)) ?? '', /clock.*1970-01-01/);
  assert.match(withHint('connect failed', 'ECONNREFUSED', new Date()), /^connect failed: nothing listens there/);
  assert.equal(withHint('socket hang up', 'ECONNRESET', new Date()), 'socket hang up', 'nothing to do but to wait');
  assert.deepEqual([1, 132, 135, 'ECONNRESET'].map(isVersionRefusal), [true, true, false, false]);
});
