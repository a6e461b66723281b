/** Who is started, started again or given up, and how the status tells it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { buildTinyImage } from '../../../images/tiny.ts';
import { Board } from '../board.ts';
import { INIT } from './cases/init-containers.ts';
import { ORDER } from './cases/order.ts';
import { HOOKS, PROBES } from './cases/probes.ts';
import { RESTARTS } from './cases/restarts.ts';
import { wave } from './wave.ts';

const images = mkdtempSync('/var/tmp/edgepod-statuses-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  await board.load(await buildTinyImage(images, { name: 'server', programs: ['echo-server'] }));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(images, { recursive: true });
});

const CASES = [...RESTARTS, ...INIT, ...ORDER, ...PROBES, ...HOOKS];

wave('calm', () => board, CASES);
wave('killed', () => board, CASES, { kills: 3 });
