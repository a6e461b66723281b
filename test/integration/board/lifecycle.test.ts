import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { because, phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

const log = async (pod: string, ...args: string[]) => (await board.edgepod(['logs', pod, ...args])).stdout;

test('a pod that completes: Succeeded, Completed, exit 0, its output in the log', async () => {
  await board.desire('done', shellPod('done', [{ sh: 'echo out; echo err >&2' }], { restartPolicy: 'Never' }));
  const pod = await board.pod('done', phase('Succeeded'));
  const { terminated } = state(pod);
  assert.equal(terminated?.exitCode, 0);
  assert.equal(terminated?.reason, 'Completed');
  assert.ok(Date.parse(terminated?.finishedAt ?? '') >= Date.parse(terminated?.startedAt ?? ''));
  assert.deepEqual((await log('done')).split('\n').sort(), ['', 'err', 'out']);
  await board.undesire('done');
});

test('a pod that fails: Failed, Error, its exit code', async () => {
  await board.desire('fails', shellPod('fails', [{ sh: 'exit 7' }, { sh: 'exit 0' }], { restartPolicy: 'Never' }));
  const pod = await board.pod('fails', phase('Failed'));
  assert.deepEqual([state(pod).terminated?.exitCode, state(pod).terminated?.reason], [7, 'Error']);
  assert.deepEqual([state(pod, 'c1').terminated?.exitCode, state(pod, 'c1').terminated?.reason], [0, 'Completed']);
  await board.undesire('fails');
});

// Four dollars: in a manifest `$$` is an escaped `$`.
test('a container killed by a signal reports 128 + signal', async () => {
  await board.desire(
    'killed',
    shellPod('killed', [{ sh: 'kill -s USR1 $$$$' }], { restartPolicy: 'Never', shareProcessNamespace: true }),
  );
  const pod = await board.pod('killed', phase('Failed'));
  assert.equal(state(pod).terminated?.exitCode, 138);
  assert.equal(state(pod).terminated?.signal, 10);
  await board.undesire('killed');
});

test('restartPolicy Always: the first restart is immediate, the second waits as CrashLoopBackOff', async () => {
  await board.desire('crash', shellPod('crash', [{ sh: 'echo again; exit 3' }]));
  const pod = await board.pod('crash', because('CrashLoopBackOff'));
  assert.equal(pod.status?.phase, 'Running');
  assert.equal(restarts(pod), 1);
  assert.equal(pod.status?.containerStatuses[0]?.lastState.terminated?.exitCode, 3);
  assert.match(state(pod).waiting?.message ?? '', /^back-off 10s restarting failed container=c0 pod=crash_default/);
  assert.equal(await log('crash', '--previous'), 'again\n');
  await board.undesire('crash');
});

test('restartPolicy OnFailure: a failure is restarted, a success is not', async () => {
  const once = 'test -e /v/x && exit 0; touch /v/x; exit 1';
  const spec = { restartPolicy: 'OnFailure', volumes: [{ name: 'v', emptyDir: {} }] };
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  await board.desire('once', shellPod('once', [{ sh: once, volumeMounts }], spec));
  const pod = await board.pod('once', phase('Succeeded'));
  assert.equal(restarts(pod), 1);
  await board.undesire('once');
});

test('an emptyDir and the pod IP survive a container restart; the other container is not touched', async () => {
  const spec = { volumes: [{ name: 'v', emptyDir: {} }] };
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const flaky = 'test -e /v/x || { touch /v/x; exit 1; }; ';
  await board.desire(
    'peers',
    shellPod(
      'peers',
      [
        { sh: flaky + SLEEP, volumeMounts },
        { sh: SLEEP, volumeMounts },
      ],
      spec,
    ),
  );
  const pod = await board.pod('peers', (p) => running(p) && restarts(p) === 1);
  assert.equal(restarts(pod, 'c1'), 0);
  await board.undesire('peers');
});

test('termination: SIGTERM is honoured at once; a stubborn container is killed after its grace', async () => {
  await board.desire('polite', shellPod('polite', [{ sh: SLEEP }], { terminationGracePeriodSeconds: 60 }));
  await board.desire(
    'rude',
    shellPod('rude', [{ sh: 'trap "" TERM; while :; do sleep 1; done' }], { terminationGracePeriodSeconds: 1 }),
  );
  await board.pod('polite', running);
  await board.pod('rude', running);
  await board.undesire('polite'); // would time out if the grace were waited for
  await board.undesire('rude');
});

test('a changed spec replaces the pod, changed labels do not', async () => {
  const manifest = shellPod('change', [{ sh: SLEEP }]);
  await board.desire('change', manifest);
  const first = await board.pod('change', running);
  await board.desire('change', { ...manifest, metadata: { name: 'change', labels: { color: 'blue' } } });
  const labelled = await board.pod('change', (pod) => pod.metadata.labels?.color === 'blue');
  assert.equal(labelled.metadata.uid, first.metadata.uid);
  assert.equal(restarts(labelled), 0);
  await board.desire('change', shellPod('change', [{ sh: `echo new; ${SLEEP}` }]));
  await board.pod('change', (pod) => running(pod) && pod.metadata.uid !== first.metadata.uid);
  await board.undesire('change');
});

test('memory over the limit: OOMKilled', async () => {
  const limits = { memory: '32Mi' };
  const hog = 'x=x; while :; do x=$x$x; done';
  await board.desire(
    'hog',
    shellPod('hog', [{ sh: hog, resources: { limits } }, { sh: SLEEP }], { restartPolicy: 'Never' }),
  );
  const pod = await board.pod('hog', because('OOMKilled'));
  assert.equal(state(pod).terminated?.exitCode, 137);
  assert.ok(state(pod, 'c1').running, 'the peer is not touched');
  await board.undesire('hog');
});

test('a pod that does not fit is refused whole, with the figures', async () => {
  const requests = { memory: '10Ti' };
  await board.desire('big', shellPod('big', [{ sh: SLEEP }, { sh: SLEEP, resources: { requests } }]));
  const pod = await board.pod('big', phase('Failed'));
  assert.equal(pod.status?.reason, 'OutOfmemory');
  assert.match(pod.status?.message ?? '', /requested: \d+, used: \d+, capacity: \d+/);
  await board.undesire('big');
});

test('RestartAllContainers: one exit code begins the whole pod anew, init containers too; address and volumes stay', async () => {
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const spec = {
    restartPolicy: 'Never',
    volumes: [{ name: 'v', emptyDir: {} }],
    initContainers: [{ name: 'init', image: 'debian', command: ['sh', '-c', 'echo x >> /v/inits'], volumeMounts }],
  };
  const once = `test -e /v/again || { touch /v/again; exit 88; }; ${SLEEP}`;
  const restartPolicyRules = [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }];
  const watcher = { sh: `sleep 1; ${once}`, volumeMounts, restartPolicy: 'Never', restartPolicyRules };
  await board.desire('anew', shellPod('anew', [watcher as never, { sh: SLEEP, volumeMounts }], spec));
  const first = await board.pod('anew', (p) => p.status?.podIP !== undefined);
  const pod = await board.pod('anew', (p) => running(p) && restarts(p) === 1 && restarts(p, 'c1') === 1, 60_000);
  assert.deepEqual([pod.metadata.uid, pod.status?.podIP], [first.metadata.uid, first.status?.podIP]);
  assert.equal(pod.status?.initContainerStatuses?.[0]?.restartCount, 1);
  const inits = readFileSync(join(board.dataDir, 'pods', pod.metadata.uid!, 'volumes', 'v', 'inits'), 'utf8');
  assert.equal(inits, 'x\nx\n');
  await board.undesire('anew');
});

test('the death of the infra process is sandbox loss: everything is built anew', async () => {
  await board.desire('lost', shellPod('lost', [{ sh: SLEEP }, { sh: SLEEP }]));
  const pod = await board.pod('lost', running);
  const shim = Number(readFileSync(join(board.runDir, 'pods', pod.metadata.uid!, 'shim.pid'), 'utf8'));
  const children = readFileSync(`/proc/${shim}/task/${shim}/children`, 'utf8').trim().split(' ').map(Number);
  const pause = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'pause')!;
  process.kill(pause, 'SIGKILL');
  const again = await board.pod('lost', (p) => running(p) && restarts(p) === 1 && restarts(p, 'c1') === 1);
  assert.equal(again.metadata.uid, pod.metadata.uid);
  assert.equal(again.status?.podIP, pod.status?.podIP);
  await board.undesire('lost');
});

test('the death of the shim is sandbox loss too', async () => {
  await board.desire('shimless', shellPod('shimless', [{ sh: SLEEP }]));
  const pod = await board.pod('shimless', running);
  process.kill(Number(readFileSync(join(board.runDir, 'pods', pod.metadata.uid!, 'shim.pid'), 'utf8')), 'SIGKILL');
  await board.pod('shimless', (p) => running(p) && restarts(p) === 1);
  await board.undesire('shimless');
});

test('a pod deleted before it runs leaves nothing', async () => {
  await board.desire('brief', shellPod('brief', [{ sh: SLEEP }]));
  await board.until('a first status', () => board.status('brief') !== undefined);
  await board.undesire('brief');
});

test('an empty retained payload, seen live, deletes', async () => {
  await board.desire('empty', shellPod('empty', [{ sh: SLEEP }]));
  await board.pod('empty', running);
  await board.desire('empty', '');
  await board.until('the pod to be gone', () => board.status('empty') === undefined);
});
