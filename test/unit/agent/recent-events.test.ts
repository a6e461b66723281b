import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentEvents } from '../../../src/agent/broker/recent-events.ts';
import { events } from '../../../src/agent/calls/events.ts';

function filled(count: number): RecentEvents {
  const recent = new RecentEvents();
  for (let seq = 0; seq < count; seq++) {
    const involvedObject = { kind: seq % 2 ? 'Pod' : 'Secret', namespace: 'default', name: `o${seq % 4}` };
    recent.add(JSON.stringify({ involvedObject, seq }));
  }
  return recent;
}

const seqs = (found: object[]) => found.map((event) => (event as { seq: number }).seq);

test('the newest 256 are kept, oldest first', () => {
  const found = seqs(filled(1000).list({}));
  assert.deepEqual([found.length, found[0], found.at(-1)], [256, 744, 999]);
});

test('by kind, namespace and name', () => {
  const recent = filled(8);
  assert.deepEqual(seqs(recent.list({ kind: 'Pod' })), [1, 3, 5, 7]);
  assert.deepEqual(seqs(recent.list({ kind: 'Pod', name: 'o1' })), [1, 5]);
  assert.deepEqual(recent.list({ namespace: 'other' }), []);
});

test('the call answers in pieces that fit into a packet', async () => {
  const pieces: number[] = [];
  for await (const piece of events(filled(70), {}, { fits: () => true }))
    pieces.push((piece as { events: object[] }).events.length);
  assert.deepEqual(pieces, [32, 32, 6]);
  await assert.rejects(events(filled(1), { name: 7 }, { fits: () => true }).next(), { code: 'InvalidParams' });
});
