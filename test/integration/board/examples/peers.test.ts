/** Two peers in one pod: whichever starts first or dies, the other keeps its network, its connections and its volume. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import type { Board } from '../board.ts';
import { running } from '../pods.ts';
import { infraOf, initOf } from '../processes.ts';
import { apply, crash, EXAMPLES, openBoard, restarted, statusOf } from './example.ts';
import { KeptConnection } from './kept-connection.ts';

const LEFT = { name: 'left', port: 8081, other: 'right' };
const RIGHT = { name: 'right', port: 8082, other: 'left' };
type Peer = typeof LEFT;
const PEERS = [LEFT, RIGHT];
const otherOf = (peer: Peer) => (peer === LEFT ? RIGHT : LEFT);

let board: Board;
before(async () => {
  board = await openBoard(['nginx']);
});
afterEach(async () => {
  for (const file of ['pod', 'left', 'right']) {
    const path = join(EXAMPLES, `peers/${file}.yaml`);
    const { code, stderr } = await board.edgepod(['delete', '-f', path, '-d', board.device, '--wait']);
    assert.equal(code, 0, stderr);
  }
});
after(async () => assert.deepEqual(await board.close(), []));

/** The pod with both peers running, `first` before the other. */
async function start(first: Peer): Promise<Pod> {
  await apply(board, 'peers/pod.yaml');
  await apply(board, `peers/${first.name}.yaml`);
  const waits = (pod: Pod) => statusOf(pod, first.other).state.waiting?.reason === 'CreateContainerConfigError';
  const alone = await board.pod('peers', (pod) => statusOf(pod, first.name).state.running !== undefined && waits(pod));
  await served(alone, `${first.port}/${first.name}.txt`, first.name);
  await apply(board, `peers/${first.other}.yaml`);
  return board.pod('peers', running);
}

/** Waits until `path` (port and path) at the pod's address is the greeting of `writer`. */
async function served(pod: Pod, path: string, writer: string): Promise<void> {
  let answer = '';
  for (let attempt = 0; attempt < 100; attempt++) {
    const get = fetch(`http://${pod.status?.podIP}:${path}`).then((response) => response.text());
    answer = await get.catch((error: Error) => String(error.cause ?? error));
    if (answer === `Hello from the ${writer}\n`) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.fail(`${path}: ${answer}`);
}

/** Each serves what the other wrote, and reaches the other over localhost. */
async function inTouch(pod: Pod): Promise<void> {
  for (const { port, other } of PEERS)
    for (const path of [`${port}/${other}.txt`, `${port}/peer/${other}.txt`]) await served(pod, path, other);
}

/** A connection over the pod's localhost to the listener of `peer`, that has been used once. */
async function connect(pod: Pod, { name, port }: Peer): Promise<KeptConnection> {
  const connection = new KeptConnection(infraOf(pod.metadata.uid!)!, port);
  assert.equal(await connection.get(`/${name}.txt`), '200');
  return connection;
}

for (const first of PEERS)
  test(`${first.name} starts first and serves alone; ${first.other} joins it`, async () => {
    await inTouch(await start(first));
  });

test('each dies and comes back, more than once; the other keeps process, connections, address and volume', async () => {
  const pod = await start(LEFT);
  const uid = pod.metadata.uid!;
  const infra = infraOf(uid);
  for (const times of [1, 2])
    for (const victim of PEERS) {
      const other = otherOf(victim);
      const survivor = initOf(uid, other.name);
      const kept = await connect(pod, other);
      const lost = await connect(pod, victim);
      crash(uid, victim.name);
      assert.ok(await lost.lost());
      assert.equal(await kept.get(`/${victim.name}.txt`), '200', 'what the dead one wrote is still there');
      const now = await restarted(board, 'peers', victim.name, times);
      await inTouch(now);
      assert.equal(await kept.get(`/${other.name}.txt`), '200', 'the same connection');
      assert.equal(initOf(uid, other.name), survivor);
      assert.equal(infraOf(uid), infra);
      assert.equal(now.status?.podIP, pod.status?.podIP);
      kept.close();
      lost.close();
    }
});

test('kill -9 of the agent: one dies meanwhile, the other does not notice; the agent brings it back', async () => {
  const pod = await start(RIGHT);
  const uid = pod.metadata.uid!;
  const survivor = initOf(uid, 'right');
  const kept = await connect(pod, RIGHT);
  await board.stopAgent('SIGKILL');
  crash(uid, 'left');
  await board.until('the end of left', () => initOf(uid, 'left') === undefined);
  assert.equal(await kept.get('/peer/right.txt'), '502', 'left is not there');
  assert.equal(await kept.get('/left.txt'), '200', 'what it wrote is');
  await board.startAgent();
  const now = await restarted(board, 'peers', 'left', 1);
  assert.equal(statusOf(now, 'left').lastState.terminated?.exitCode, 137);
  await inTouch(now);
  assert.equal(await kept.get('/right.txt'), '200', 'the same connection');
  assert.equal(initOf(uid, 'right'), survivor);
  kept.close();
});
