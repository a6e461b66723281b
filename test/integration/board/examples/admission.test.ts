/** A pod is one request: a board with 2 GB free takes none of three containers of 1 GB, and counts stages as stages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Board } from '../board.ts';
import { phase, running } from '../pods.ts';
import { processesOf } from '../processes.ts';
import { apply, EXAMPLES, openBoard, statusOf } from './example.ts';

const GIB = 2 ** 30;
const memory = Number(/^MemTotal:\s*(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
let board: Board;
before(async () => {
  board = await openBoard(['debian'], ['--resources-reserved-memory', String(memory - 2 * GIB)]);
});
after(async () => assert.deepEqual(await board.close(), []));

test('none of the three starts, and the board says so with the figures', async () => {
  const args = ['apply', '-f', join(EXAMPLES, 'admission/pod.yaml'), '-d', board.device, '--wait'];
  const { code, stderr } = await board.edgepod(args);
  assert.equal(code, 1);
  const figures = `requested: ${3 * GIB}, used: 0, capacity: ${2 * GIB}`;
  assert.ok(stderr.includes(figures), stderr);
  const pod = await board.pod('three-gigabytes', phase('Failed'));
  assert.equal(pod.status?.reason, 'OutOfmemory');
  assert.ok(!pod.status?.containerStatuses?.some(({ state }) => state.running || state.terminated));
  assert.equal(processesOf(pod.metadata.uid!).size, 0, 'nothing was ever started');
});

test('stages that fit one after the other are taken, though their sum would not fit; what is held counts', async () => {
  await apply(board, 'admission/stages.yaml', '--wait');
  const pod = await board.pod('stages', running);
  assert.equal(statusOf(pod, 'import').state.terminated?.exitCode, 0);
  await board.undesire('three-gigabytes');
  await apply(board, 'admission/pod.yaml');
  const held = (256 + 1536) * 2 ** 20;
  const used = (seen: typeof pod) => seen.status?.message?.includes(`requested: ${3 * GIB}, used: ${held}`) ?? false;
  await board.pod('three-gigabytes', used);
  await board.undesire('stages');
  await board.undesire('three-gigabytes');
});
