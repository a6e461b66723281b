/** Image garbage collection over a real store; only the clock and the fullness of the disk are made up. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { ImageGarbage } from '../../../src/agent/upkeep/image-garbage.ts';
import { ImageBoard } from './image-board.ts';

const MINUTE = 60_000;
let board: ImageBoard;
let now = 0;
let fullness = () => 0;
let needed: string[] = [];
let garbage: ImageGarbage;
beforeEach(() => {
  board = new ImageBoard();
  now = MINUTE;
  fullness = () => 0.5;
  needed = [];
  garbage = collector(85);
});
afterEach(() => board.close());

const collector = (gcHighPercent: number) =>
  new ImageGarbage({
    images: board.images,
    needed: () => ({ refs: new Set(needed), ids: new Set(), nameless: false }),
    diskUsed: () => fullness(),
    limits: { gcHighPercent, gcLowPercent: 80 },
    monotonicMs: () => now,
    log: pino({ level: 'silent' }),
  });
const base = [{ name: 'shared' }];
const load = async (...names: string[]) => {
  for (const name of names) await board.images.load(await board.archive([base, [{ name }]], { name }));
};
const names = () => board.images.list().flatMap(({ refs }) => refs.map((ref) => ref.split('/').at(-1)));

test('a disk that is full enough: unused images go, the longest unused first, until there is room', async () => {
  await load('a', 'b', 'c', 'd');
  needed = ['b'];
  await garbage.look();
  now = 5 * MINUTE;
  needed = ['c'];
  await garbage.look();
  assert.deepEqual(names(), ['a:latest', 'b:latest', 'c:latest', 'd:latest'], 'there is room');
  now = 10 * MINUTE;
  // Each image that goes makes room for one in twenty.
  fullness = () => 0.86 - (4 - names().length) / 20;
  const before = board.onDisk().layers.length;
  await collector(85).look();
  assert.equal(names().length, 4, 'to another agent they are all new');
  await garbage.look();
  assert.deepEqual(names(), ['b:latest', 'c:latest'], 'a and d were never used; then it was empty enough');
  assert.equal(board.onDisk().layers.length, before - 2, 'the shared layer stays');
});

test('everything that is not needed, when a pod would have to go otherwise; never, where that is set', async () => {
  await load('a', 'b');
  needed = ['docker.io/library/b:latest'];
  await garbage.look();
  await garbage.removeAll();
  assert.equal(names().length, 2, 'too young');
  now = 3 * MINUTE;
  const never = collector(100);
  await never.look();
  now = 6 * MINUTE;
  await never.removeAll();
  assert.equal(names().length, 2);
  await garbage.removeAll();
  assert.deepEqual(names(), ['b:latest']);
  assert.ok(await board.images.ensure('b', 'Never'));
});
