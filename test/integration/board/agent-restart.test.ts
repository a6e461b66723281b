import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { OUTSIDE_BROKER } from '../mosquitto.ts';
import { Board } from './board.ts';
import { phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

/** Process ids of the shim and its children. */
function pids(uid: string): number[] {
  const shim = Number(readFileSync(join(board.runDir, 'pods', uid, 'shim.pid'), 'utf8'));
  return [shim, ...readFileSync(`/proc/${shim}/task/${shim}/children`, 'utf8').trim().split(' ').map(Number)];
}

test('kill -9 of the agent: same process ids, and an exit that happened meanwhile is reported with code and time', async () => {
  const go = 'while ! test -e /v/go; do sleep 0.05; done; exit 42';
  const spec = { restartPolicy: 'Never', volumes: [{ name: 'v', emptyDir: {} }] };
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  await board.desire(
    'stays',
    shellPod(
      'stays',
      [
        { sh: SLEEP, volumeMounts },
        { sh: go, volumeMounts },
      ],
      spec,
    ),
  );
  const pod = await board.pod('stays', running);
  const uid = pod.metadata.uid!;
  const before = pids(uid);

  await board.stopAgent('SIGKILL');
  const volume = join(board.dataDir, 'pods', uid, 'volumes', 'v', 'go');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(volume, '');
  await board.until('the container to end', () => pids(uid).length === before.length - 1);
  const endedBy = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 300));

  await board.startAgent();
  const after = await board.pod('stays', (p) => state(p, 'c1').terminated !== undefined);
  assert.equal(state(after, 'c1').terminated?.exitCode, 42);
  assert.ok(Date.parse(state(after, 'c1').terminated?.finishedAt ?? '') <= endedBy, 'the time is the shim’s');
  assert.ok(state(after).running);
  assert.equal(state(after).running?.startedAt, state(pod).running?.startedAt);
  assert.deepEqual(
    pids(uid),
    before.filter((pid) => pids(uid).includes(pid)),
  );
  assert.equal(after.metadata.uid, uid);
  await board.undesire('stays');
});

test('an orderly stop of the agent leaves pods running', async () => {
  await board.desire('outlives', shellPod('outlives', [{ sh: SLEEP }]));
  const pod = await board.pod('outlives', running);
  const before = pids(pod.metadata.uid!);
  assert.equal(await board.stopAgent('SIGTERM'), 0);
  assert.ok(board.topics.get(board.topic('presence'))?.includes('"offline"'));
  assert.deepEqual(pids(pod.metadata.uid!), before);
  await board.startAgent();
  assert.deepEqual(pids(pod.metadata.uid!), before);
  assert.equal(restarts(board.status('outlives')!), 0);
  await board.undesire('outlives');
});

test('the loss of the whole database restarts no healthy pod', async () => {
  await board.desire('amnesia', shellPod('amnesia', [{ sh: SLEEP }]));
  const pod = await board.pod('amnesia', running);
  const before = pids(pod.metadata.uid!);
  await board.stopAgent('SIGKILL');
  for (const file of readdirSync(board.dataDir).filter(
    (name) => name.startsWith('edgepod.db') || name.includes('backup'),
  ))
    rmSync(join(board.dataDir, file), { recursive: true });
  await board.startAgent();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.deepEqual(pids(pod.metadata.uid!), before);
  const after = await board.pod('amnesia', running);
  assert.equal(after.metadata.uid, pod.metadata.uid);
  assert.equal(restarts(after), 0);
  await board.undesire('amnesia');
});

const ownBroker = { skip: OUTSIDE_BROKER !== undefined && 'the broker is elsewhere' };
test('the agent works without its broker: what happened is told when it is back', ownBroker, async () => {
  const spec = { restartPolicy: 'Never', volumes: [{ name: 'v', emptyDir: {} }] };
  const wait = 'while ! test -e /v/go; do sleep 0.05; done; exit 5';
  await board.desire(
    'offline',
    shellPod('offline', [{ sh: wait, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], spec),
  );
  const pod = await board.pod('offline', running);
  await board.mosquitto.kill9();
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(board.dataDir, 'pods', pod.metadata.uid!, 'volumes', 'v', 'go'), '');
  await new Promise((resolve) => setTimeout(resolve, 500));
  await board.mosquitto.restart();
  const after = await board.pod('offline', phase('Failed'), 60_000);
  assert.equal(state(after).terminated?.exitCode, 5);
  await board.undesire('offline');
});
