/** A WAR and its server: delivered by an init container, served by Tomcat, reached from outside by the board's port. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import { Outside } from '../../runtime/outside.ts';
import type { Board } from '../board.ts';
import { phase, running } from '../pods.ts';
import { apply, crash, openBoard, restarted, statusOf, VolumeFile } from './example.ts';

let outside: Outside;
let board: Board;
let pod: Pod;
before(async () => {
  outside = await Outside.open();
  board = await openBoard(['sample', 'tomcat']);
  await apply(board, 'javaweb/pod.yaml', '--wait');
  pod = await board.pod('javaweb-2', running);
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  outside.close();
});

/** The page, asked for from the machine outside. */
const page = () => outside.run(`fetch('http://${outside.node}:8001/sample/').then(a => a.text()).then(console.log)`);

test('the init container has delivered the archive and ended; Tomcat unpacked it beside', () => {
  const { terminated } = statusOf(pod, 'war').state;
  assert.deepEqual([terminated?.exitCode, terminated?.reason], [0, 'Completed']);
  const unpacked = new VolumeFile(board, pod.metadata.uid!, 'app-volume', 'sample/WEB-INF/web.xml');
  assert.match(unpacked.read(), /<display-name>sample</);
});

test('the page is served from outside, by way of the board’s port', async () => {
  const text = await page();
  assert.match(text, /Hello from sample\.war/);
  assert.match(text, /Served by Apache Tomcat\/10\.\d+/);
  assert.equal(pod.status?.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
});

test('a Tomcat that died comes back to the archive that is there; the init container does not run again', async () => {
  crash(pod.metadata.uid!, 'tomcat');
  const now = await restarted(board, 'javaweb-2', 'tomcat', 1);
  assert.equal(statusOf(now, 'war').containerID, statusOf(pod, 'war').containerID);
  await board.pod('javaweb-2', (seen) => statusOf(seen, 'tomcat').ready, 120_000);
  assert.match(await page(), /Hello from sample\.war/);
});

test('the port goes with the pod', async () => {
  await board.undesire('javaweb-2');
  await assert.rejects(page);
  await apply(board, 'javaweb/pod.yaml');
  await board.pod('javaweb-2', phase('Running'), 60_000);
});
