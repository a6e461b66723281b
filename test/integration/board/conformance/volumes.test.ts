/** What containers find in their volumes: modes, owners, contents, and parts of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { DATA, TOLD } from './cases/data.ts';
import { EMPTY_DIRS } from './cases/empty-dirs.ts';
import { fillHost, placeCases } from './cases/host-paths.ts';
import { wave } from './wave.ts';

const host = mkdtempSync('/var/tmp/edgepod-volumes-');
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  fillHost(host);
  const data = { 'data-1': 'value-1', 'data-2': 'value-2' };
  await object('configmaps', 'cm', { data, binaryData: { 'dump.bin': Buffer.from([0, 255, 254]).toString('base64') } });
  await object('secrets', 'se', { stringData: data });
  await object('secrets', 'se', { stringData: { 'data-1': 'of another namespace' } }, 'other');
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(host, { recursive: true });
});

async function object(
  kind: 'configmaps' | 'secrets',
  name: string,
  more: object,
  namespace = 'default',
): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: kind === 'secrets' ? 'Secret' : 'ConfigMap',
    metadata: { name, namespace },
    ...more,
  };
  const topic = board.topic(`desired/${kind}/${namespace}/${name}`);
  await board.client.publishAsync(topic, JSON.stringify(body), { qos: 1, retain: true });
}

const CASES = [...EMPTY_DIRS, ...placeCases(host), ...DATA, ...TOLD];

wave('calm', () => board, CASES);
wave('killed', () => board, CASES, { kills: 3 });
