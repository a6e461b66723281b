import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { OutboxPump, type PumpOptions } from '../../../src/broker/outbox-pump.ts';
import { type Link, LinkError, type PublishOptions } from '../../../src/broker/ports.ts';
import { linkDown } from '../../../src/broker/send-window.ts';
import { memoryLog, tempStore } from '../store/temp-store.ts';

/** A link whose broker answers when the test says so. */
class HandLink implements Link {
  connected = false;
  freeSlots = 0;
  sent: { text: string; topic: string; retain: boolean; settle: (error?: Error) => void }[] = [];
  maximumPacketSize = 1000;

  fits(_topic: string, payload: Uint8Array): boolean {
    return payload.length <= this.maximumPacketSize;
  }

  publish(topic: string, payload: Uint8Array, { retain = false }: PublishOptions = {}): Promise<number> {
    this.freeSlots -= 1;
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) => {
        this.freeSlots += 1;
        if (error) reject(error);
        else resolve(0);
      };
      this.sent.push({ topic, text: Buffer.from(payload).toString(), retain, settle });
    });
  }

  /** Answers everything on the wire; returns what it was. */
  drain(error?: Error): string[] {
    const sent = this.sent.splice(0);
    for (const message of sent) message.settle(error);
    return sent.map(({ text }) => text);
  }
}

function setUp(t: TestContext, { slots = 4, ...more }: Partial<PumpOptions> & { slots?: number } = {}) {
  const { outbox } = tempStore(t);
  const link = new HandLink();
  const pump = new OutboxPump({ outbox, link, log: memoryLog(), ...more });
  outbox.onPending(() => pump.wake());
  const up = async () => {
    link.connected = true;
    link.freeSlots = slots;
    const info = { session: 1, protocolVersion: 5, sessionPresent: false, maximumPacketSize: 1000 } as const;
    pump.connected({ ...info, window: slots });
    await turns();
  };
  const down = async () => {
    link.connected = false;
    link.drain(linkDown());
    pump.disconnected();
    await turns();
  };
  return { outbox, link, pump, up, down };
}

/** Lets promises and scheduled refills happen. */
async function turns(): Promise<void> {
  for (let i = 0; i < 6; i++) await turn();
}

async function drainAll(link: HandLink): Promise<string[]> {
  const all: string[] = [];
  for (let batch = link.drain(); batch.length > 0; batch = link.drain()) {
    all.push(...batch);
    await turns();
  }
  return all;
}

describe('outbox pump', () => {
  test('sends nothing without a connection, everything with one, in order, within the window', async (t) => {
    const { outbox, link, up } = setUp(t);
    for (let i = 0; i < 10; i++) outbox.addEvent('e', (seq) => `e${seq}`);
    outbox.putRetained('a', 'status');
    await turns();
    assert.equal(link.sent.length, 0);
    await up();
    assert.deepEqual(
      link.sent.map(({ text, retain }) => [text, retain]),
      [
        ['status', true],
        ['e1', false],
        ['e2', false],
        ['e3', false],
      ],
    );
    assert.deepEqual(await drainAll(link), ['status', ...Array.from({ length: 10 }, (_, i) => `e${i + 1}`)]);
    assert.deepEqual(outbox.counts(), { retained: 0, events: 0 });
  });

  test('only the newest body of a topic goes out, and never two at a time', async (t) => {
    const { outbox, link, up } = setUp(t);
    outbox.putRetained('a', '1');
    outbox.putRetained('a', '2');
    await up();
    outbox.putRetained('a', '3');
    outbox.putRetained('a', '4');
    await turns();
    assert.deepEqual(link.drain(), ['2']);
    await turns();
    assert.deepEqual(await drainAll(link), ['4']);
    assert.deepEqual(outbox.counts(), { retained: 0, events: 0 });
  });

  test('what was on the wire when the link broke is sent again', async (t) => {
    const { outbox, link, up, down } = setUp(t);
    for (let i = 0; i < 4; i++) outbox.addEvent('e', (seq) => `e${seq}`);
    await up();
    link.sent.shift()?.settle();
    await turns();
    await down();
    assert.equal(outbox.counts().events, 3);
    await up();
    assert.deepEqual(await drainAll(link), ['e2', 'e3', 'e4']);
  });

  test('a refused message does not hold up the others and is tried again at the next connection', async (t) => {
    const { outbox, link, up, down } = setUp(t, { slots: 1 });
    outbox.putRetained('forbidden', 'x');
    outbox.addEvent('e', () => 'event');
    await up();
    assert.deepEqual(link.drain(new LinkError('refused', 'forbidden', 0x87)), ['x']);
    await turns();
    assert.deepEqual(await drainAll(link), ['event']);
    assert.equal(outbox.counts().retained, 1);
    await down();
    await up();
    assert.deepEqual(await drainAll(link), ['x']);
    assert.equal(outbox.counts().retained, 0);
  });

  test('a refused topic is tried again when its body changes', async (t) => {
    const { outbox, link, up } = setUp(t);
    outbox.putRetained('a', '1');
    await up();
    link.drain(new LinkError('refused', 'no', 0x99));
    await turns();
    assert.equal(link.sent.length, 0);
    outbox.putRetained('a', '2');
    await turns();
    assert.deepEqual(await drainAll(link), ['2']);
  });

  test('too large: a smaller variant if there is one, else dropped and told', async (t) => {
    const dropped: string[] = [];
    const { outbox, link, up } = setUp(t, {
      truncate: (topic) => (topic === 'status' ? Buffer.from('short') : undefined),
      onDropped: ({ topic }, reason) => dropped.push(`${topic}: ${reason}`),
    });
    outbox.putRetained('status', 'x'.repeat(2000));
    outbox.putRetained('node', 'x'.repeat(2000));
    for (let i = 0; i < 3; i++) outbox.addEvent('e', () => 'x'.repeat(2000));
    outbox.addEvent('e', () => 'small');
    await up();
    assert.deepEqual(await drainAll(link), ['short', 'small']);
    assert.equal(dropped.length, 4);
    assert.match(dropped[0] ?? '', /^node: 2000 bytes are more than the broker takes \(1000\)/);
    assert.deepEqual(outbox.counts(), { retained: 0, events: 0 });
  });

  test('more parked and dropped messages than the window holds do not stop the rest', async (t) => {
    const { outbox, link, up } = setUp(t, { slots: 2 });
    for (let i = 0; i < 9; i++) outbox.putRetained(`forbidden/${i}`, 'x');
    for (let i = 0; i < 9; i++) outbox.addEvent('e', () => 'x'.repeat(2000));
    outbox.addEvent('e', () => 'last');
    await up();
    for (let i = 0; i < 20 && link.sent.length > 0 && link.sent[0]?.text === 'x'; i++) {
      link.drain(new LinkError('refused', 'no', 0x87));
      await turns();
    }
    assert.deepEqual(await drainAll(link), ['last']);
  });

  test('a store that fails is asked again, and nothing is lost', async (t) => {
    const { outbox, link, pump, up } = setUp(t);
    outbox.addEvent('e', () => 'x');
    const log = memoryLog();
    const acknowledge = t.mock.method(outbox, 'acknowledge', () => {
      throw new Error('disk full');
    });
    await up();
    link.drain();
    await turns();
    assert.equal(outbox.counts().events, 1);
    acknowledge.mock.restore();
    pump.wake();
    await turns();
    await drainAll(link);
    assert.equal(outbox.counts().events, 0);
    assert.equal(log.lines.length, 0);
  });
});
