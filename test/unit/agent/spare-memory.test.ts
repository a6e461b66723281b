import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpareMemory } from '../../../src/agent/upkeep/spare-memory.ts';

const MIB = 1024 * 1024;

test('garbage is collected when the heap has grown and nothing is going on; free memory goes back each time', async () => {
  const state = { heap: 10 * MIB, busy: 0, collected: 0, released: 0 };
  const spare = new SpareMemory({
    addon: { releaseMemory: async () => void state.released++ },
    heapBytes: () => state.heap,
    busyShare: () => state.busy,
    collect: () => {
      state.collected++;
      state.heap -= MIB;
    },
  });
  const after = async (change: Partial<typeof state>) => {
    Object.assign(state, change);
    await spare.release();
    return state.collected;
  };
  assert.equal(await after({}), 1, 'what starting left');
  assert.equal(await after({}), 1, 'nothing has come since');
  assert.equal(await after({ heap: 15 * MIB, busy: 0.3 }), 1, 'there is something to do');
  assert.equal(await after({ busy: 0.001 }), 2, 'now it is quiet');
  assert.equal(await after({}), 2);
  assert.equal(state.released, 5);
});
