/** kill -9 of the agent in the middle of everything that takes time: the next one goes on where the dead one was. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { because, phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
/** Seen as /v by the containers; outlives every pod, so that it can tell how a pod ended. */
let shared: string;
const PATIENCE = 60_000;

before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
beforeEach(() => {
  shared = mkdtempSync('/var/tmp/edgepod-killed-');
});
after(async () => assert.deepEqual(await board.close(), []));

const volumes = () => [{ name: 'v', hostPath: { path: shared, type: 'Directory' } }];
const volumeMounts = [{ name: 'v', mountPath: '/v' }];
const said = (file: string) => {
  const path = join(shared, file);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};
const isSaid = (file: string, times = 1) =>
  board.until(`${file} to be said ${times} times`, () => said(file).length >= times, PATIENCE);
const allow = (file: string) => writeFileSync(join(shared, file), '');
/** Shell that waits for `allow`. */
const until = (file: string) => `while ! test -e /v/${file}; do sleep 0.05; done`;

/** Killed; its successor while it is still looking around, and the next as soon as it has taken everything up. */
async function killAgent(): Promise<void> {
  await board.stopAgent('SIGKILL');
  board.spawnAgent();
  await new Promise((resolve) => setTimeout(resolve, 400));
  await board.stopAgent('SIGKILL');
  const starts = () => board.logTail(Number.POSITIVE_INFINITY).split('"agent.ready"').length;
  const before = starts();
  board.spawnAgent();
  await board.until('the agent to be ready', () => starts() > before, PATIENCE);
  await board.stopAgent('SIGKILL');
}

async function gone(name: string): Promise<void> {
  await board.until(`pod ${name} to be gone`, () => board.status(name) === undefined, PATIENCE);
  rmSync(shared, { recursive: true });
}

test('in a postStart hook: it is delivered again, and the container is not restarted', async () => {
  const command = ['/bin/sh', '-c', `echo hook >> /v/hook; ${until('go')}`];
  const lifecycle = { postStart: { exec: { command } } };
  const main = { sh: `echo main >> /v/main; ${SLEEP}`, volumeMounts, lifecycle };
  await board.desire('begins', shellPod('begins', [main], { volumes: volumes() }));
  await isSaid('hook');
  await board.pod('begins', phase('Pending'), PATIENCE);
  await killAgent();
  await board.startAgent();
  await isSaid('hook', 2);
  allow('go');
  const pod = await board.pod('begins', running, PATIENCE);
  assert.equal(restarts(pod), 0);
  assert.deepEqual(said('main'), ['main']);
  await board.undesire('begins');
  await gone('begins');
});

test('in a preStop hook: the deletion goes on, and the container still gets its stop signal', async () => {
  const command = ['/bin/sh', '-c', `echo hook >> /v/hook; ${until('go')}`];
  const lifecycle = { preStop: { exec: { command } } };
  const sh = 'trap "echo term >> /v/end; exit 0" TERM; while :; do sleep 1000 & wait; done';
  const spec = { volumes: volumes(), terminationGracePeriodSeconds: 600 };
  await board.desire('ends', shellPod('ends', [{ sh, volumeMounts, lifecycle }], spec));
  await board.pod('ends', running, PATIENCE);
  const deleted = board.undesire('ends').catch((error: Error) => error);
  await isSaid('hook');
  await killAgent();
  assert.deepEqual(said('end'), [], 'the container runs on');
  await board.startAgent();
  await isSaid('hook', 2);
  allow('go');
  await deleted;
  await gone('ends');
});

test('between the ends of containers and sidecars: the order is kept', async () => {
  const ending = (name: string, more = '') =>
    `trap "${more}echo ${name} >> /v/order; exit 0" TERM; echo ${name} >> /v/up; while :; do sleep 1000 & wait; done`;
  const sidecar = (name: string) => ({
    name,
    image: 'debian',
    restartPolicy: 'Always',
    command: ['/bin/sh', '-c', ending(name)],
    volumeMounts,
  });
  const spec = {
    volumes: volumes(),
    terminationGracePeriodSeconds: 600,
    initContainers: [sidecar('first'), sidecar('second')],
  };
  const main = { sh: ending('main', `echo asked >> /v/asked; ${until('go')}; `), volumeMounts };
  await board.desire('order', shellPod('order', [main], spec));
  await isSaid('up', 3);
  await board.pod('order', running, PATIENCE);
  const deleted = board.undesire('order').catch((error: Error) => error);
  await isSaid('asked');
  await killAgent();
  await board.startAgent();
  assert.deepEqual(said('order'), []);
  allow('go');
  await deleted;
  await board.until('everything to have ended', () => said('order').length === 3, PATIENCE);
  assert.deepEqual(said('order'), ['main', 'second', 'first']);
  await gone('order');
});

test('before activeDeadlineSeconds are over, and while they run out', async () => {
  await board.desire('deadline', shellPod('deadline', [{ sh: SLEEP }], { activeDeadlineSeconds: 5 }));
  await board.pod('deadline', (pod) => pod.status?.phase !== undefined, PATIENCE);
  await killAgent();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await board.startAgent();
  const pod = await board.pod('deadline', phase('Failed'), PATIENCE);
  assert.equal(pod.status?.reason, 'DeadlineExceeded');
  await board.undesire('deadline');
  await gone('deadline');
});

test('while a startup probe fails: nothing is restarted, and it succeeds afterwards', async () => {
  const startupProbe = {
    exec: { command: ['test', '-e', '/v/go'] },
    periodSeconds: 1,
    failureThreshold: 10_000,
  };
  const containers = [{ sh: SLEEP, volumeMounts, startupProbe: startupProbe as never }];
  await board.desire('slow', shellPod('slow', containers, { volumes: volumes() }));
  const first = await board.pod('slow', running, PATIENCE);
  assert.equal(first.status?.containerStatuses[0]?.started, false);
  await killAgent();
  await board.startAgent();
  allow('go');
  const pod = await board.pod('slow', (p) => p.status?.containerStatuses[0]?.started === true, PATIENCE);
  assert.equal(restarts(pod), 0);
  assert.equal(state(pod).running?.startedAt, state(first).running?.startedAt);
  await board.undesire('slow');
  await gone('slow');
});

test('in CrashLoopBackOff: what is left of the wait is waited, and it grows', async () => {
  await board.desire(
    'loop',
    shellPod('loop', [{ sh: 'echo run >> /v/runs; exit 3', volumeMounts }], { volumes: volumes() }),
  );
  await board.pod('loop', because('CrashLoopBackOff'), PATIENCE);
  await killAgent();
  const before = said('runs').length;
  await board.startAgent();
  const pod = await board.pod('loop', because('CrashLoopBackOff'), PATIENCE);
  assert.ok(restarts(pod) >= 1);
  const longer = await board.pod(
    'loop',
    (p) => because('CrashLoopBackOff')(p) && /^back-off 20s/.test(state(p).waiting?.message ?? ''),
    PATIENCE,
  );
  assert.equal(restarts(longer), 2);
  assert.ok(before <= 3 && said('runs').length === 3, 'no start but those that were due');
  await board.undesire('loop');
  await gone('loop');
});

test('with pods in every state: nothing runs twice, nothing is forgotten', async () => {
  const never = { restartPolicy: 'Never', volumes: volumes() };
  const once = { sh: `echo once >> /v/once; ${until('go')}; exit 4`, volumeMounts };
  const init = {
    name: 'init',
    image: 'debian',
    command: ['/bin/sh', '-c', `echo init >> /v/init; ${until('go')}`],
    volumeMounts,
  };
  await board.desire('once', shellPod('once', [once], never));
  await board.desire('done', shellPod('done', [{ sh: 'echo done >> /v/done; exit 0', volumeMounts }], never));
  await board.desire(
    'waits',
    shellPod('waits', [{ sh: `echo main >> /v/main; ${SLEEP}`, volumeMounts }], {
      volumes: volumes(),
      initContainers: [init],
    }),
  );
  await isSaid('init');
  await board.pod('once', running, PATIENCE);
  await board.pod('done', phase('Succeeded'), PATIENCE);
  await killAgent();
  allow('go'); // everything goes on while no agent is there
  await board.startAgent();
  const failed = await board.pod('once', phase('Failed'), PATIENCE);
  assert.equal(state(failed).terminated?.exitCode, 4);
  await board.pod('waits', running, PATIENCE);
  assert.equal(board.status('done')?.status?.phase, 'Succeeded');
  assert.deepEqual([said('once'), said('done'), said('init'), said('main')], [['once'], ['done'], ['init'], ['main']]);
  for (const name of ['once', 'done', 'waits']) await board.undesire(name);
  await gone('waits');
});
