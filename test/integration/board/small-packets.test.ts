/** A broker that takes small packets only: answers to calls come in smaller pieces, and whole. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod } from './pods.ts';

const MAX_PACKET = 20_000;
const LINES = 2000;
const script = (prefix: string) =>
  `i=0; while [ $i -lt ${LINES} ]; do echo "${prefix} $i with some more text to make it longer"; i=$((i+1)); done`;
const expected = (prefix: string) =>
  Array.from({ length: LINES }, (_, i) => `${prefix} ${i} with some more text to make it longer\n`).join('');

let board: Board;
before(async () => {
  board = await Board.open({
    settings: ['--remote-exec', 'true'],
    broker: { extra: `max_packet_size ${MAX_PACKET}` },
  });
  await board.load(await demoImage('debian'));
  await board.desire('web', shellPod('web', [{ sh: `${script('log')}; ${SLEEP}` }]));
  await board.pod('web', running);
});
after(async () => assert.deepEqual(await board.close(), []));

test('the output of a command', async () => {
  const { code, stdout, stderr } = await board.edgepod(['exec', 'web', '--', 'sh', '-c', script('exec')]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.ok(stdout.length > 4 * MAX_PACKET);
  assert.equal(stdout, expected('exec'));
});

test('logs', async () => {
  const { code, stdout } = await board.edgepod(['logs', 'web']);
  assert.equal(code, 0);
  assert.equal(stdout, expected('log'));
});
