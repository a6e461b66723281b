/** What is done about a shortage, in which order; the figures are made up. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { NodePressure } from '../../../src/agent/upkeep/node-pressure.ts';

const MINUTE = 60_000;

function board() {
  const state = {
    now: 0,
    memory: 1000,
    disk: 1000,
    running: new Set(['a', 'b']),
    done: [] as string[],
    /** What the removal of images brings. */
    images: 0,
    victims: ['a', 'b'],
    tellFailure: undefined as Error | undefined,
  };
  const pressure = new NodePressure({
    stats: {
      readGroups: () => ({
        node: {
          memory: { total: 1000, available: state.memory, pressure: {} },
          cpu: { pressure: {} },
          load: {},
          io: { pressure: {} },
          network: {},
        },
        groups: [],
      }),
    },
    disk: () => ({ availableBytes: state.disk, capacityBytes: 1000, inodes: 0, inodesFree: 0 }),
    treeUsage: async () => new Float64Array(),
    floors: {
      memoryAvailable: { amount: 100 },
      nodefsAvailable: { share: 0.1 },
      nodefsInodesFree: { share: 0.05 },
      pidAvailable: { amount: 0 },
    },
    relief: () => ({
      evictOne: async ({ resource }) => {
        const uid = state.victims.shift();
        if (uid) state.done.push(`evict ${uid} for ${resource}`);
        return uid;
      },
      isRunning: (uid) => state.running.has(uid),
      removeDeadContainers: async () => void state.done.push('dead containers'),
    }),
    removeUnusedImages: async () => {
      state.done.push('images');
      state.disk += state.images;
    },
    onChange: () => state.done.push('changed'),
    tell: (reason, message) => {
      if (state.tellFailure) throw state.tellFailure;
      state.done.push(`${reason}: ${message}`);
    },
    monotonicMs: () => state.now,
    log: pino({ level: 'silent' }),
  });
  const look = async () => {
    state.done = [];
    await pressure.look();
    return state.done;
  };
  return { state, pressure, look };
}

describe('a board that is short', () => {
  test('nothing happens while there is enough', async () => {
    const { look, pressure } = board();
    assert.deepEqual(await look(), []);
    assert.deepEqual(pressure.conditions, []);
  });

  test('of memory: one pod, and the next only when that is gone, or does not go', async () => {
    const { state, look, pressure } = board();
    state.memory = 99;
    const told = 'EvictionThresholdMet: Attempting to reclaim memory';
    assert.deepEqual(await look(), ['changed', told, 'evict a for memory']);
    assert.deepEqual(pressure.conditions, ['MemoryPressure']);
    state.now += 10_000;
    assert.deepEqual(await look(), [], 'a still runs');
    state.running.delete('a');
    assert.deepEqual(await look(), ['evict b for memory']);
    state.now += 30_000;
    assert.deepEqual(await look(), [], 'b does not go, and there is nobody else');
  });

  test('of disk: what nobody needs first; where that is enough, no pod goes', async () => {
    const { state, look } = board();
    state.disk = 99;
    state.images = 50;
    const [, , ...did] = await look();
    assert.deepEqual(did, ['dead containers', 'images']);
    state.disk = 10;
    state.images = 0;
    assert.deepEqual(await look(), ['dead containers', 'images', 'evict a for ephemeral-storage']);
  });

  test('of disk, so that not even the event can be written: something is done about it all the same', async () => {
    const { state, look } = board();
    state.tellFailure = new Error('disk full');
    state.disk = 0;
    assert.deepEqual(await look(), ['changed', 'dead containers', 'images', 'evict a for ephemeral-storage']);
  });

  test('at the edge it is told once; the condition is held and then told as over', async () => {
    const { state, look } = board();
    state.victims = [];
    state.memory = 99;
    assert.equal((await look()).length, 2);
    for (let times = 0; times < 20; times++) {
      state.now += 10_000;
      state.memory = times % 2 === 0 ? 101 : 99;
      assert.deepEqual(await look(), []);
    }
    state.memory = 101;
    state.now += 5 * MINUTE;
    assert.deepEqual(await look(), ['changed']);
    state.memory = 99;
    assert.equal((await look()).length, 2, 'and it is news again');
  });
});
