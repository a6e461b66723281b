/** Init containers, sidecars, probes and hooks with real processes, the agent killed in the middle. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

const volumes = [{ name: 'v', emptyDir: {} }];
const volumeMounts = [{ name: 'v', mountPath: '/v' }];
const init = (name: string, sh: string, fields: object = {}) => ({
  name,
  image: 'debian',
  command: ['/bin/sh', '-c', sh],
  volumeMounts,
  ...fields,
});
const log = async (pod: string, ...args: string[]) => (await board.edgepod(['logs', pod, ...args])).stdout;
const initStatus = (pod: Pod, name: string) =>
  pod.status?.initContainerStatuses?.find((status) => status.name === name);

test('init containers run one after the other, then the containers; a failed one is tried again', async () => {
  const initContainers = [
    init('first', 'echo first >> /v/order'),
    init('second', 'test -e /v/tried || { touch /v/tried; exit 1; }; echo second >> /v/order'),
  ];
  const sh = 'echo main >> /v/order; cat /v/order';
  const spec = { initContainers, volumes, restartPolicy: 'OnFailure' };
  await board.desire('inits', shellPod('inits', [{ sh, volumeMounts }], spec));
  const pod = await board.pod('inits', phase('Succeeded'));
  assert.equal(await log('inits', '-c', 'c0'), 'first\nsecond\nmain\n');
  assert.equal(initStatus(pod, 'second')?.restartCount, 1);
  assert.equal(initStatus(pod, 'second')?.state.terminated?.reason, 'Completed');
  await board.undesire('inits');
});

test('a failed init container of a run-once pod: Failed, and the container still waits for it', async () => {
  const spec = { initContainers: [init('bad', 'exit 3')], volumes, restartPolicy: 'Never' };
  await board.desire('badinit', shellPod('badinit', [{ sh: SLEEP }], spec));
  const pod = await board.pod('badinit', phase('Failed'));
  assert.equal(initStatus(pod, 'bad')?.state.terminated?.exitCode, 3);
  assert.equal(state(pod).waiting?.reason, 'PodInitializing');
  const initialized = pod.status?.conditions.find(({ type }) => type === 'Initialized');
  assert.equal(initialized?.reason, 'ContainersNotInitialized');
  await board.undesire('badinit');
});

test('a sidecar serves until the container is done, then ends, and the pod succeeds', async () => {
  const bye = 'trap "echo bye >> /v/order; exit 0" TERM; while :; do sleep 1000 & wait; done';
  const side = init('side', bye, { restartPolicy: 'Always' });
  const spec = { initContainers: [side], volumes, restartPolicy: 'Never' };
  await board.desire('served', shellPod('served', [{ sh: 'exit 0' }], spec));
  const pod = await board.pod('served', phase('Succeeded'));
  assert.equal(initStatus(pod, 'side')?.state.terminated?.exitCode, 0);
  await board.undesire('served');
});

test('kill -9 of the agent while an init container runs: it is not run again, and the pod comes up', async () => {
  const once = 'echo x >> /v/runs; while ! test -e /v/go; do sleep 0.05; done';
  const spec = { initContainers: [init('slow', once)], volumes };
  const sh = `cat /v/runs; ${SLEEP}`;
  await board.desire('midinit', shellPod('midinit', [{ sh, volumeMounts }], spec));
  const pod = await board.pod('midinit', (p) => initStatus(p, 'slow')?.state.running !== undefined);
  await board.stopAgent('SIGKILL');
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${board.dataDir}/pods/${pod.metadata.uid}/volumes/v/go`, '');
  await board.startAgent();
  const up = await board.pod('midinit', running);
  assert.equal(up.metadata.uid, pod.metadata.uid);
  assert.equal(await log('midinit', '-c', 'c0'), 'x\n');
  await board.undesire('midinit');
});

test('a liveness failure restarts the container; a readiness probe decides ready only', async () => {
  const livenessProbe = { exec: { command: ['test', '!', '-e', '/v/sick'] }, periodSeconds: 1, failureThreshold: 1 };
  const readinessProbe = { exec: { command: ['test', '-e', '/v/ready'] }, periodSeconds: 1 };
  const sh = `rm -f /v/sick; ${SLEEP}`;
  const manifest = shellPod('probed', [{ sh, volumeMounts, livenessProbe, readinessProbe } as never], { volumes });
  await board.desire('probed', manifest);
  const pod = await board.pod('probed', running);
  assert.equal(pod.status?.containerStatuses[0]?.ready, false);
  const { writeFileSync } = await import('node:fs');
  const file = (name: string) => writeFileSync(`${board.dataDir}/pods/${pod.metadata.uid}/volumes/v/${name}`, '');
  file('ready');
  await board.pod('probed', (p) => p.status?.containerStatuses[0]?.ready === true);
  file('sick');
  await board.pod('probed', (p) => restarts(p) === 1 && running(p));
  await board.undesire('probed');
});

test('postStart and preStop run in the container', async () => {
  const lifecycle = {
    postStart: { exec: { command: ['/bin/sh', '-c', 'echo post > /proc/1/fd/1'] } },
    preStop: { exec: { command: ['/bin/sh', '-c', 'touch /v/stopping'] } },
  };
  const sh = 'trap "test -e /v/stopping && exit 7; exit 8" TERM; while :; do sleep 1000 & wait; done';
  const spec = { volumes, restartPolicy: 'Never', activeDeadlineSeconds: 3, terminationGracePeriodSeconds: 20 };
  await board.desire('hooked', shellPod('hooked', [{ sh, volumeMounts, lifecycle } as never], spec));
  const pod = await board.pod('hooked', phase('Failed'));
  assert.equal(pod.status?.reason, 'DeadlineExceeded');
  assert.equal(state(pod).terminated?.exitCode, 7);
  assert.equal(await log('hooked'), 'post\n');
  await board.undesire('hooked');
});

test('a changed image restarts that container alone', async () => {
  await board.desire('swap', shellPod('swap', [{ sh: SLEEP }, { sh: SLEEP }]));
  const first = await board.pod('swap', running);
  await board.desire(
    'swap',
    shellPod('swap', [{ sh: SLEEP, image: 'docker.io/library/debian:latest' }, { sh: SLEEP }]),
  );
  const pod = await board.pod('swap', (p) => restarts(p) === 1 && running(p));
  assert.equal(pod.metadata.uid, first.metadata.uid);
  assert.equal(restarts(pod, 'c1'), 0);
  await board.undesire('swap');
});

test('the termination message is what the container wrote, else the end of its log', async () => {
  const say = { sh: 'printf "no disk" > /dev/termination-log; exit 1' };
  const tail = { sh: 'echo one; echo two >&2; exit 1', terminationMessagePolicy: 'FallbackToLogsOnError' as const };
  const path = { sh: 'echo moved > /tmp/last', terminationMessagePath: '/tmp/last' };
  await board.desire('words', shellPod('words', [say, tail, path], { restartPolicy: 'Never' }));
  const pod = await board.pod('words', phase('Failed'));
  assert.equal(state(pod).terminated?.message, 'no disk');
  assert.deepEqual(state(pod, 'c1').terminated?.message?.trim().split('\n').sort(), ['one', 'two']);
  assert.equal(state(pod, 'c2').terminated?.message, 'moved\n');
  await board.undesire('words');
});

test('get pods says how far the init containers are', async () => {
  const initContainers = [init('first', 'exit 0'), init('second', SLEEP)];
  await board.desire('stages', shellPod('stages', [{ sh: SLEEP }], { initContainers, volumes }));
  await board.pod('stages', (p) => initStatus(p, 'second')?.state.running !== undefined);
  const { stdout } = await board.edgepod(['get', 'pods', 'stages']);
  assert.match(stdout, /stages +0\/1 +Init:1\/2 +0 /);
  assert.match((await board.edgepod(['describe', 'pod', 'stages'])).stdout, /Init Containers:\n {2}first:/);
  await board.undesire('stages');
});
