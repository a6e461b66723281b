import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OutboxMessage, OutboxTable } from '../../../src/store/outbox.ts';
import { tempStore } from './temp-store.ts';

const brief = ({ kind, topic, body }: OutboxMessage) => [kind, topic, Buffer.from(body).toString()];
const pending = (outbox: OutboxTable, limit = 100) => outbox.pending(limit).map(brief);

describe('outbox, retained topics', () => {
  test('keep the newest body and their place in the queue', (t) => {
    const { outbox } = tempStore(t);
    outbox.putRetained('a', '1');
    outbox.putRetained('b', '1');
    outbox.putRetained('a', '2');
    assert.deepEqual(pending(outbox), [
      ['retained', 'a', '2'],
      ['retained', 'b', '1'],
    ]);
  });

  test('what the broker has is not sent again, what changed goes to the end', (t) => {
    const { outbox } = tempStore(t);
    let wakes = 0;
    outbox.onPending(() => {
      wakes += 1;
    });
    outbox.putRetained('a', '1');
    outbox.acknowledge(outbox.pending(10));
    assert.equal(outbox.putRetained('a', '1'), false);
    assert.deepEqual(pending(outbox), []);
    outbox.putRetained('b', '1');
    assert.equal(outbox.putRetained('a', '2'), true);
    assert.deepEqual(pending(outbox), [
      ['retained', 'b', '1'],
      ['retained', 'a', '2'],
    ]);
    assert.equal(wakes, 3);
  });

  test('an acknowledgement of an older body does not end the newer one', (t) => {
    const { outbox } = tempStore(t);
    outbox.putRetained('a', '1');
    const sent = outbox.pending(10);
    outbox.putRetained('a', '2');
    outbox.acknowledge(sent);
    assert.deepEqual(pending(outbox), [['retained', 'a', '2']]);
    outbox.putRetained('a', '1');
    outbox.acknowledge(sent);
    assert.deepEqual(pending(outbox), []);
    assert.deepEqual(outbox.retained('a'), { body: Buffer.from('1'), acked: true });
  });

  test('a clearing is forgotten once the broker has it, but not if the topic is in use again', (t) => {
    const { outbox } = tempStore(t);
    outbox.putRetained('a', '');
    const sent = outbox.pending(10);
    outbox.putRetained('a', 'back');
    outbox.acknowledge(sent);
    assert.deepEqual(pending(outbox), [['retained', 'a', 'back']]);
    outbox.putRetained('a', '');
    outbox.acknowledge(outbox.pending(10));
    assert.equal(outbox.retained('a'), undefined);
  });

  test('everything, or one topic, can be said again', (t) => {
    const { outbox } = tempStore(t);
    for (const topic of ['a', 'b']) outbox.putRetained(topic, '1');
    outbox.acknowledge(outbox.pending(10));
    assert.equal(outbox.republish('b'), 1);
    assert.deepEqual(pending(outbox), [['retained', 'b', '1']]);
    assert.equal(outbox.republish(), 1);
    assert.deepEqual(outbox.counts(), { retained: 2, events: 0 });
    assert.equal(outbox.forget('a'), true);
    assert.deepEqual(outbox.counts(), { retained: 1, events: 0 });
  });
});

describe('outbox, events', () => {
  test('are a ring, in order, whose numbers show what was dropped', (t) => {
    const { outbox } = tempStore(t, { eventLimit: 3 });
    for (let i = 1; i <= 5; i++)
      assert.equal(
        outbox.addEvent('e', (seq) => `n${seq}`),
        i,
      );
    assert.deepEqual(
      pending(outbox).map(([, , body]) => body),
      ['n3', 'n4', 'n5'],
    );
    outbox.acknowledge(outbox.pending(10));
    assert.equal(
      outbox.addEvent('e', (seq) => `n${seq}`),
      6,
    );
  });

  test('come after what is true now', (t) => {
    const { outbox } = tempStore(t);
    outbox.addEvent('e', () => 'x');
    outbox.putRetained('a', '1');
    assert.deepEqual(
      outbox.pending(10).map(({ kind }) => kind),
      ['retained', 'event'],
    );
    assert.equal(outbox.pending(1).length, 1);
  });

  test('a payload that cannot be built uses no number', (t) => {
    const { outbox } = tempStore(t);
    assert.throws(() =>
      outbox.addEvent('e', () => {
        throw new Error('no');
      }),
    );
    assert.equal(
      outbox.addEvent('e', (seq) => String(seq)),
      1,
    );
  });
});
