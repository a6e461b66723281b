/** What programs are started with, who they are, what they are told, and what is reported of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { defaultsImage } from './cases/from-image.ts';
import { IDENTITY } from './cases/identity.ts';
import { MESSAGES } from './cases/messages.ts';
import { SECURITY } from './cases/security.ts';
import { VARIABLES } from './cases/variables.ts';
import { wave } from './wave.ts';

const images = mkdtempSync('/var/tmp/edgepod-programs-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  await board.load(await defaultsImage(images));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(images, { recursive: true });
});

const CASES = [...VARIABLES, ...MESSAGES, ...IDENTITY, ...SECURITY];

wave('calm', () => board, CASES);
wave('killed', () => board, CASES, { kills: 3 });
