/** A board that runs short, on a real kernel: the thresholds are set so high that it is short at once. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { phase, running, SLEEP, shellPod } from './pods.ts';

let board: Board;
const PATIENCE = 120_000;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

/** The same board, with other settings. */
async function restart(...settings: string[]): Promise<void> {
  await board.stopAgent('SIGKILL');
  await board.startAgent(...settings);
}

function nodeCondition(type: string): string | undefined {
  const node = JSON.parse(board.topics.get(board.topic('node'))?.toString() ?? '{}');
  return node.status?.conditions.find((condition: { type: string }) => condition.type === type)?.status;
}

/** The order in which pods of these names became Failed. */
function failures(names: string[]): string[] {
  const seen = board.messages.flatMap(({ topic, payload }) => {
    const name = names.find((candidate) => topic === board.topic(`status/pods/default/${candidate}`));
    if (name === undefined || payload.length === 0) return [];
    return JSON.parse(payload.toString()).status.phase === 'Failed' ? [name] : [];
  });
  return [...new Set(seen)];
}

test('memory runs short: one pod after the other, by request and priority; a critical one stays, a BestEffort one is refused', async () => {
  const hold = `x=$(head -c 20000000 /dev/zero | tr "\\0" x); ${SLEEP}`;
  const requests = (memory: string) => ({ resources: { requests: { memory } } as never });
  // Two use more than they asked for, one asked for plenty, one is critical.
  await board.desire('greedy-high', shellPod('greedy-high', [{ sh: hold, ...requests('1Mi') }], { priority: 100 }));
  await board.desire('greedy-low', shellPod('greedy-low', [{ sh: hold, ...requests('1Mi') }], { priority: 1 }));
  const modest = shellPod('modest', [{ sh: SLEEP, ...requests('200Mi') }], { priority: 0 });
  await board.desire('modest', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'modest' },
    spec: { selector: {}, template: { spec: modest.spec } },
  });
  const critical = { priorityClassName: 'system-node-critical' };
  await board.desire('critical', shellPod('critical', [{ sh: hold, ...requests('1Mi') }], critical));
  const names = ['greedy-high', 'greedy-low', 'modest'];
  for (const name of [...names, 'critical']) await board.pod(name, running, PATIENCE);

  await restart('--eviction-memory-available', '100Ti');
  await board.until('the condition', () => nodeCondition('MemoryPressure') === 'True', PATIENCE);
  await board.desire('late', shellPod('late', [{ sh: SLEEP }]));
  const late = await board.pod('late', phase('Failed'), PATIENCE);
  assert.deepEqual(
    [late.status?.reason, late.status?.message],
    ['Evicted', 'The node had condition: [MemoryPressure]. '],
  );
  for (const name of names) await board.pod(name, phase('Failed'), PATIENCE);
  assert.deepEqual(failures(names), ['greedy-low', 'greedy-high', 'modest']);
  const { status } = board.status('greedy-low')!;
  assert.equal(status?.reason, 'Evicted');
  assert.match(
    status?.message ?? '',
    /^The node was low on resource: memory\. Threshold quantity: 102400Gi, available: \d+Ki\. Container c0 was using \d+Ki, request is 1Mi, has larger consumption of memory\. $/,
  );
  assert.equal(status?.conditions.find(({ type }) => type === 'DisruptionTarget')?.status, 'True');
  assert.ok(running(board.status('critical')!));
  const events = board.messages.filter(({ topic }) => topic === board.topic('events'));
  assert.ok(events.some(({ payload }) => payload.includes('"EvictionThresholdMet"')));

  await restart();
  await board.until('the pressure to be over', () => nodeCondition('MemoryPressure') === 'False', PATIENCE);
  const before = board.status('greedy-low')?.metadata.uid;
  await board.pod('modest', running, PATIENCE); // a Deployment's comes back by itself
  assert.equal(board.status('greedy-low')?.metadata.uid, before, 'a Pod does not');
  assert.equal(board.status('greedy-low')?.status?.phase, 'Failed');
  const begun = await board.edgepod(['restart', 'pod', 'greedy-low', '-d', board.device]);
  assert.equal(begun.code, 0, begun.stderr);
  await board.pod('greedy-low', running, PATIENCE);
  for (const name of [...names, 'critical', 'late']) await board.undesire(name);
});

test('process ids run short: the pod with the most goes', async () => {
  const crowd = `for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; ${SLEEP}`;
  await board.desire('crowd', shellPod('crowd', [{ sh: crowd }]));
  await board.desire('single', shellPod('single', [{ sh: SLEEP }]));
  await board.pod('crowd', running, PATIENCE);
  await board.pod('single', running, PATIENCE);
  await restart('--eviction-pid-available', '1Ti');
  await board.pod('crowd', phase('Failed'), PATIENCE);
  assert.equal(failures(['crowd', 'single'])[0], 'crowd');
  assert.match(board.status('crowd')?.status?.message ?? '', /^The node was low on resource: pids\./);
  await restart();
  for (const name of ['crowd', 'single']) await board.undesire(name);
});

test('the disk runs short: who keeps the most on it goes; images that pods need stay, also without a disk to spare', async () => {
  const write = `head -c 8000000 /dev/zero > /big; echo written; ${SLEEP}`;
  await board.desire('writes', shellPod('writes', [{ sh: write }]));
  await board.desire('reads', shellPod('reads', [{ sh: SLEEP }]));
  const { uid } = (await board.pod('writes', running, PATIENCE)).metadata;
  await board.pod('reads', running, PATIENCE);
  const file = join(board.dataDir, 'pods', uid ?? '', 'containers', 'c0', '0', 'upper', 'big');
  await board.until('the file to be there', () => existsSync(file), PATIENCE);
  await restart('--eviction-nodefs-available', '100%');
  await board.pod('writes', phase('Failed'), PATIENCE);
  assert.equal(failures(['writes', 'reads'])[0], 'writes');
  assert.match(board.status('writes')?.status?.message ?? '', /^The node was low on resource: ephemeral-storage\./);
  await board.until('what it kept to be gone', () => !existsSync(file), PATIENCE);
  await restart();
  const { stdout } = await board.edgepod(['image', 'list']);
  assert.match(stdout, /debian/);
  for (const name of ['writes', 'reads']) await board.undesire(name);
});
