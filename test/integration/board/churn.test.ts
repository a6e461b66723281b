/** Pods that are deleted within milliseconds of their start, or of their image's arrival: nothing hangs, nothing is left. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { buildTinyImage } from '../../images/tiny.ts';
import { Board } from './board.ts';
import { shellPod } from './pods.ts';

/** More by hand: EDGEPOD_CHURN=200. */
const ROUNDS = Number(process.env.EDGEPOD_CHURN ?? 20);
const images = mkdtempSync('/var/tmp/edgepod-churn-');
let board: Board;
let archive: string;
before(async () => {
  board = await Board.open();
  archive = await buildTinyImage(images, { name: 'churn', programs: ['sleeper'] });
  await board.load(archive);
});
after(async () => {
  rmSync(images, { recursive: true });
  assert.deepEqual(await board.close(), []);
});

const sleeper = (name: string, image = 'churn') =>
  shellPod(name, [
    { image, command: ['/bin/sleeper'] },
    { image, command: ['/bin/sleeper'] },
  ]);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('created and deleted at every distance from 0 to 50 ms', { timeout: 600_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const name = `churn-${round}`;
    await board.desire(name, sleeper(name));
    await pause((round * 7) % 50);
    await board.undesire(name);
  }
});

test('deleted within milliseconds of the arrival of its image', { timeout: 600_000 }, async () => {
  for (let round = 0; round < Math.ceil(ROUNDS / 10); round++) {
    const name = `late-${round}`;
    const { code, stderr } = await board.edgepod(['image', 'remove', 'churn']);
    assert.equal(code, 0, stderr);
    await board.desire(name, sleeper(name));
    await board.pod(name, (pod) => pod.status?.containerStatuses[0]?.state.waiting !== undefined);
    await board.load(archive);
    await pause((round * 13) % 50);
    await board.undesire(name);
  }
});
