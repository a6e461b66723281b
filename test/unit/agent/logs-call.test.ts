import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inPieces } from '../../../src/agent/calls/logs.ts';

test('lines that are there go out together, and what ends them ends the pieces', async () => {
  async function* lines() {
    for (let index = 0; index < 450; index++) yield { text: `line ${index}` };
  }
  const sizes: number[] = [];
  for await (const { lines: bunch } of inPieces(lines())) sizes.push(bunch.length);
  assert.deepEqual(sizes, [200, 200, 50]);
});

test('a log that cannot be read on after the caller has gone is nobody’s business', async (t) => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  t.after(() => process.off('unhandledRejection', note));
  const failing = Promise.withResolvers<never>();
  let asked = 0;
  const lines = {
    next: () => (asked++ === 0 ? Promise.resolve({ done: false, value: { text: 'first' } }) : failing.promise),
  };
  const pieces = inPieces(lines as AsyncIterator<{ text: string }>);
  await pieces.next();
  await pieces.return(undefined);
  failing.reject(new Error('EIO'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(unhandled, []);
});
