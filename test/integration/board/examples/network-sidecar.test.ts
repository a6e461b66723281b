/** A proxy sidecar takes all that the application sends, by rules in the pod's network; the application does not know. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import { Outside } from '../../runtime/outside.ts';
import type { Board } from '../board.ts';
import { running } from '../pods.ts';
import { infraOf, initOf } from '../processes.ts';
import { apply, crash, logsOnDisk, openBoard, restarted, statusOf } from './example.ts';

const THROUGH = 'origin, asked by way of: 1.1 sidecar';
const DIRECT = 'origin, asked by way of: ';

let outside: Outside;
let board: Board;
let pod: Pod;
let uid: string;
before(async () => {
  outside = await Outside.open(); // gives the board an address, which not every machine has
  board = await openBoard(['debian', 'nginx', 'nftables']);
  await apply(board, 'network-sidecar/origin.yaml', '--wait');
  await apply(board, 'network-sidecar/pod.yaml', '--wait');
  pod = await board.pod('mesh', running);
  uid = pod.metadata.uid!;
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  outside.close();
});

const answers = () => logsOnDisk(board, uid, 'app').split('\n').filter(Boolean);
const proxied = () =>
  logsOnDisk(board, uid, 'proxy')
    .split('\n')
    .filter((line) => line.includes('"GET / ')).length;

/** Waits for three more answers to the application, every one of them by way of the proxy, which logged as many. */
async function throughProxy(): Promise<void> {
  const [before, logged] = [answers().length, proxied()];
  const seen = () => proxied() >= logged + 3;
  const more = () =>
    answers()
      .slice(before)
      .filter((line) => line === THROUGH).length >= 3;
  await board.until('three more answers', more, 60_000, () => answers().slice(-5).join('\n'));
  await board.until('the proxy’s log of them', seen);
  assert.ok(!answers().includes(DIRECT), 'none went past it');
}

test('the rules are made before the proxy starts, and the proxy listens before the application does anything', () => {
  const at = (name: string) => {
    const { running: now, terminated } = statusOf(pod, name).state;
    return Date.parse(terminated?.finishedAt ?? now?.startedAt ?? '');
  };
  assert.equal(statusOf(pod, 'redirect').state.terminated?.exitCode, 0);
  assert.ok(at('redirect') <= at('proxy') && at('proxy') <= at('app'));
});

test('what the application asks goes through the proxy; the application sees its server at the other end', async () => {
  await throughProxy();
  const netns = `--net=/proc/${infraOf(uid)}/ns/net`;
  const script = `const s = require('net').connect(8002, '${pod.status?.hostIP}', () => {
    console.log(s.remoteAddress + ' ' + s.remotePort); s.destroy(); })`;
  const peer = execFileSync('nsenter', [netns, process.execPath, '-e', script], { encoding: 'utf8' });
  assert.equal(peer.trim(), `${pod.status?.hostIP} 8002`);
});

test('the rules are the pod’s: the board asks the same server directly', async () => {
  const answer = await fetch(`http://${pod.status?.hostIP}:8002/`);
  assert.equal(await answer.text(), `${DIRECT}\n`);
});

test('while the proxy is dead nothing gets past; it comes back to the rules that are there', async () => {
  const [app, infra] = [initOf(uid, 'app'), infraOf(uid)];
  await board.stopAgent('SIGKILL'); // nobody restarts it
  crash(uid, 'proxy');
  const refused = () => answers().at(-1)?.includes('Connection refused') ?? false;
  await board.until('the application to be refused', refused);
  await board.startAgent();
  const now = await restarted(board, 'mesh', 'proxy', 1);
  await throughProxy();
  assert.equal(
    statusOf(now, 'redirect').containerID,
    statusOf(pod, 'redirect').containerID,
    'the rules were not made again',
  );
  assert.deepEqual([initOf(uid, 'app'), infraOf(uid)], [app, infra]);
});

test('kill -9 of the agent: the pod’s traffic goes on through the proxy, without it and with it again', async () => {
  await board.stopAgent('SIGKILL');
  await throughProxy();
  await board.startAgent();
  await throughProxy();
});

test('a sandbox that is lost comes back with its rules: the init container runs again', async () => {
  process.kill(infraOf(uid)!, 'SIGKILL');
  const again = (seen: Pod) => running(seen) && statusOf(seen, 'redirect').restartCount > 0;
  await board.pod('mesh', again, 60_000);
  await throughProxy();
});
