/** Changed amounts of cpu and memory of a pod that runs, on a real kernel. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { instanceNames } from '../../../src/runtime/instance.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { restarts, running, SLEEP, shellPod } from './pods.ts';

let board: Board;
const PATIENCE = 60_000;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

/** What the kernel says of a control group, whichever version it has. */
function limits(uid: string, container = ''): { memory: number; cpuMilli: number } {
  const path = join(instanceNames(board.dataDir).cgroupRoot, `pod${uid}`, container);
  const read = (file: string) => readFileSync(join('/sys/fs/cgroup', file), 'utf8').trim();
  if (!existsSync('/sys/fs/cgroup/memory')) {
    const [quota, period] = read(join(path, 'cpu.max')).split(' ').map(Number);
    return { memory: Number(read(join(path, 'memory.max'))), cpuMilli: ((quota ?? 0) * 1000) / (period ?? 1) };
  }
  const quota = Number(read(join('cpu', path, 'cpu.cfs_quota_us')));
  const period = Number(read(join('cpu', path, 'cpu.cfs_period_us')));
  return { memory: Number(read(join('memory', path, 'memory.limit_in_bytes'))), cpuMilli: (quota * 1000) / period };
}

const MIB = 1 << 20;
const condition = (pod: Pod, wanted: string) => pod.status?.conditions.find(({ type }) => type === wanted);
const resources = (cpu: string, memory: string) => ({ limits: { cpu, memory }, requests: { cpu, memory } });
const given = (pod: Pod, memory: string) => pod.status?.containerStatuses[0]?.resources?.limits?.memory === memory;

test('limits of a container go up and down in place; the pod follows', async () => {
  const of = (cpu: string, memory: string) =>
    shellPod('sized', [{ sh: SLEEP, resources: resources(cpu, memory) as never }]);
  await board.desire('sized', of('100m', '32Mi'));
  const { uid = '' } = (await board.pod('sized', running, PATIENCE)).metadata;
  for (const [cpu, memory] of [
    [200, 64],
    [50, 48],
  ] as const) {
    await board.desire('sized', of(`${cpu}m`, `${memory}Mi`));
    const pod = await board.pod(
      'sized',
      (p) => given(p, `${memory}Mi`) && !condition(p, 'PodResizeInProgress'),
      PATIENCE,
    );
    assert.deepEqual([pod.metadata.uid, restarts(pod)], [uid, 0]);
    assert.deepEqual(limits(uid, 'c0'), { memory: memory * MIB, cpuMilli: cpu });
    assert.deepEqual(limits(uid), { memory: (memory + 2) * MIB, cpuMilli: cpu });
  }
  await board.undesire('sized');
});

test('a limit below what is in use is refused until it is free; nobody is killed for it', async () => {
  const hold =
    'x=$(head -c 30000000 /dev/zero | tr "\\\\0" x); while ! test -e /tmp/go; do sleep 0.1; done; x=; exec sleep 1000';
  const of = (memory: string) => shellPod('full', [{ sh: hold, resources: resources('200m', memory) as never }]);
  await board.desire('full', of('200Mi'));
  const { uid = '' } = (await board.pod('full', running, PATIENCE)).metadata;
  const used = () => {
    const path = join(instanceNames(board.dataDir).cgroupRoot, `pod${uid}`, 'c0');
    const v1 = join('/sys/fs/cgroup/memory', path, 'memory.usage_in_bytes');
    return Number(readFileSync(existsSync(v1) ? v1 : join('/sys/fs/cgroup', path, 'memory.current'), 'utf8'));
  };
  await board.until('the container to fill its memory', () => used() > 30_000_000, PATIENCE);
  await board.desire('full', of('16Mi'));
  const refused = await board.pod('full', (p) => condition(p, 'PodResizeInProgress')?.reason === 'Error', PATIENCE);
  assert.match(condition(refused, 'PodResizeInProgress')?.message ?? '', /below its current usage/);
  assert.ok(running(refused) && restarts(refused) === 0);
  await board.desire('full', of('200Mi'));
  await board.pod('full', (p) => !condition(p, 'PodResizeInProgress'), PATIENCE);
  await board.undesire('full');
});

test('resizePolicy RestartContainer: that container is restarted and has the new limit', async () => {
  const of = (memory: string) => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    const first = { sh: SLEEP, resources: resources('100m', memory), resizePolicy };
    return shellPod('again', [first as never, { sh: SLEEP, resources: resources('100m', '16Mi') as never }]);
  };
  await board.desire('again', of('32Mi'));
  const { uid = '' } = (await board.pod('again', running, PATIENCE)).metadata;
  await board.desire('again', of('64Mi'));
  const pod = await board.pod(
    'again',
    (p) => running(p) && given(p, '64Mi') && !condition(p, 'PodResizeInProgress'),
    PATIENCE,
  );
  assert.deepEqual([restarts(pod), restarts(pod, 'c1')], [1, 0]);
  assert.equal(limits(uid, 'c0').memory, 64 * MIB);
  assert.equal(limits(uid).memory, (64 + 16 + 2) * MIB);
  await board.undesire('again');
});

test('amounts of the pod as a whole, in place', async () => {
  const of = (memory: string) => shellPod('whole', [{ sh: SLEEP }], { resources: resources('200m', memory) });
  await board.desire('whole', of('32Mi'));
  const { uid = '' } = (await board.pod('whole', running, PATIENCE)).metadata;
  await board.desire('whole', of('64Mi'));
  await board.until('the pod to have more', () => limits(uid).memory === 66 * MIB, PATIENCE);
  const pod = await board.pod('whole', (p) => !condition(p, 'PodResizeInProgress'), PATIENCE);
  assert.equal(limits(uid, 'c0').memory, 64 * MIB);
  assert.deepEqual([pod.metadata.uid, restarts(pod)], [uid, 0]);
  await board.undesire('whole');
});

test('more than the board has is infeasible, also for the next agent; the pod runs on as it is', async () => {
  const of = (memory: string) => shellPod('much', [{ sh: SLEEP, resources: { requests: { memory } } as never }]);
  await board.desire('much', of('16Mi'));
  const { uid = '' } = (await board.pod('much', running, PATIENCE)).metadata;
  await board.desire('much', of('10Ti'));
  const infeasible = (p: Pod) => condition(p, 'PodResizePending')?.reason === 'Infeasible';
  const pod = await board.pod('much', infeasible, PATIENCE);
  assert.match(condition(pod, 'PodResizePending')?.message ?? '', /^Node didn't have enough capacity: memory/);
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // the record is written
  await board.stopAgent('SIGKILL');
  await board.startAgent();
  const still = await board.pod('much', (p) => infeasible(p) && running(p), PATIENCE);
  assert.deepEqual([still.metadata.uid, restarts(still)], [uid, 0]);
  assert.equal(still.status?.containerStatuses[0]?.allocatedResources?.memory, '16Mi');
  await board.desire('much', of('24Mi'));
  await board.pod('much', (p) => !condition(p, 'PodResizePending'), PATIENCE);
  await board.undesire('much');
});
