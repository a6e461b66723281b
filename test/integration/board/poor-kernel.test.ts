/** A kernel without a memory controller, as on a Raspberry Pi as it comes: the hierarchy is hidden from the agent. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod } from './pods.ts';

// A controller of the unified hierarchy cannot be hidden from one process.
const skip = !existsSync('/sys/fs/cgroup/memory/cgroup.procs') && 'needs cgroup v1';
const PATIENCE = 60_000;
let board: Board;
before(async () => {
  if (skip) return;
  board = await Board.open({
    through: ['unshare', '--mount', 'sh', '-c', 'umount -l /sys/fs/cgroup/memory && exec "$0" "$@"'],
  });
  await board.load(await demoImage('debian'));
});
after(async () => {
  if (!skip) assert.deepEqual(await board.close(), []);
});

const inForce = (pod: Pod) => pod.status?.conditions.find(({ type }) => type === 'edgepod.io/LimitsInForce');

test('a pod with a limit that cannot be applied runs and says so; one without asks for nothing', { skip }, async () => {
  const limits = { memory: '32Mi' };
  await board.desire('limited', shellPod('limited', [{ sh: SLEEP, resources: { limits } as never }]));
  await board.desire('free', shellPod('free', [{ sh: SLEEP }]));
  const pod = await board.pod('limited', (p) => running(p) && inForce(p) !== undefined, PATIENCE);
  assert.deepEqual([inForce(pod)?.status, inForce(pod)?.reason], ['False', 'KernelLimited']);
  const missing = 'memory not limited: the kernel has no such cgroup controller';
  assert.equal(inForce(pod)?.message, `pod: ${missing}; container c0: ${missing}`);
  const free = await board.pod('free', running, PATIENCE);
  assert.equal(inForce(free), undefined);
  const { stdout } = await board.edgepod(['describe', 'pod', 'limited']);
  assert.match(stdout, /LimitsInForce +False {2}KernelLimited\n {4}pod: memory not limited/);
  await board.until('the event', () =>
    board.messages.some(
      ({ topic, payload }) => topic === board.topic('events') && payload.includes('LimitsNotApplied'),
    ),
  );

  await new Promise((resolve) => setTimeout(resolve, 1_500)); // the record is written
  await board.stopAgent('SIGKILL');
  await board.startAgent();
  const again = await board.pod('limited', running, PATIENCE);
  assert.equal(inForce(again)?.message, inForce(pod)?.message);
  for (const name of ['limited', 'free']) await board.undesire(name);
});
