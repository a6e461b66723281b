/** Which pod ends for a node that is short of something, what is said about it, and which images must stay. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evictionMessage } from '../../../src/pods/eviction/message.ts';
import { neededImages } from '../../../src/pods/eviction/needed-images.ts';
import { ranked, type StarvedResource } from '../../../src/pods/eviction/rank.ts';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod } from './fixtures.ts';

describe('who goes first', () => {
  type Row = [name: string, priority: number, usage: number, request: number];
  const cases: { title: string; resource: StarvedResource; rows: Row[]; order: string[] }[] = [
    {
      title: 'more than was asked for goes before a lower priority',
      resource: 'memory',
      rows: [
        ['keeps', -5, 100, 100],
        ['takes', 5, 101, 100],
      ],
      order: ['takes', 'keeps'],
    },
    {
      title: 'then the lower priority, whatever the usage',
      resource: 'memory',
      rows: [
        ['high', 10, 900, 0],
        ['low', 0, 10, 0],
      ],
      order: ['low', 'high'],
    },
    {
      title: 'then who uses more beyond its request',
      resource: 'ephemeral-storage',
      rows: [
        ['a', 0, 500, 450],
        ['b', 0, 200, 100],
        ['c', 0, 300, 260],
      ],
      order: ['b', 'a', 'c'],
    },
    {
      title: 'within their requests the nearest to it',
      resource: 'memory',
      rows: [
        ['far', 0, 10, 500],
        ['near', 0, 90, 100],
      ],
      order: ['near', 'far'],
    },
    {
      title: 'process ids: priority, then processes',
      resource: 'pids',
      rows: [
        ['many', 1, 500, 0],
        ['few', 0, 2, 0],
        ['some', 0, 30, 0],
      ],
      order: ['some', 'few', 'many'],
    },
    {
      title: 'critical pods never',
      resource: 'memory',
      rows: [
        ['critical', 2_000_000_000, 999, 0],
        ['almost', 1_999_999_999, 1, 0],
      ],
      order: ['almost'],
    },
    { title: 'nobody', resource: 'memory', rows: [], order: [] },
  ];
  for (const { title, resource, rows, order } of cases) {
    test(title, () => {
      const candidates = rows.map(([name, priority, usage, request]) => ({ name, priority, usage, request }));
      assert.deepEqual(
        ranked(resource, candidates).map(({ name }) => name),
        order,
      );
    });
  }
});

test('the kubelet’s words', () => {
  const starved = { resource: 'memory', threshold: 100 * 2 ** 20, available: 53_687_091 } as const;
  assert.equal(
    evictionMessage(starved, [
      { name: 'web', usage: 3 * 2 ** 20, request: 2 ** 20 },
      { name: 'side', usage: 5, request: 5 },
    ]),
    'The node was low on resource: memory. Threshold quantity: 100Mi, available: 52428Ki. ' +
      'Container web was using 3Mi, request is 1Mi, has larger consumption of memory. ',
  );
  assert.equal(
    evictionMessage({ resource: 'pids', threshold: 100, available: 7 }, []),
    'The node was low on resource: pids. Threshold quantity: 100, available: 7. ',
  );
});

test('images stay for what runs and for what is to begin, not for what has ended', async () => {
  const b = await bench();
  const of = (name: string, image: string, spec: object = {}) =>
    desired(pod(name, { containers: [container('web', { image })], ...spec }));
  await b.apply(of('runs', 'one'));
  await b.apply(of('done', 'two', { restartPolicy: 'Never' }));
  b.imageFailures.set('three', { code: 'ErrImagePull', message: 'not here' });
  await b.apply(of('waits', 'three'));
  const done = [...b.runtime.sandboxes.values()].find((sandbox) => sandbox.spec.name === 'done');
  done?.exit('web', 0);
  await settle();
  assert.equal(b.status('done').phase, 'Succeeded');
  const { refs, ids, nameless } = b.manager.relief.neededImages();
  assert.deepEqual([...refs].sort(), ['one', 'three']);
  assert.deepEqual([...ids], ['sha256:one']);
  assert.equal(nameless, false);
  // Desired in a new version, it needs its image again.
  const again = neededImages({ desired: [of('done', 'two', { restartPolicy: 'Always' })], records: [] });
  assert.deepEqual([...again.refs], ['two']);
});

describe('a node that is short', () => {
  const measures = {
    groups: (cgroups: string[]) => cgroups.map((_, at) => ({ workingSet: at === 0 ? 700 : 600, processes: 3 })),
    treeUsage: async (paths: string[]) => Float64Array.from(paths.flatMap(() => [1000, 2])),
  };

  test('ends one pod, which is Failed and Evicted with what it used, and is a target of disruption', async () => {
    const b = await bench();
    const resources = { requests: { memory: '100' } };
    await b.apply(desired(pod('high', { priority: 9, containers: [container('web', { resources })] })));
    await b.apply(desired(pod('low', { priority: 1, containers: [container('web', { resources })] })));
    const starved = { resource: 'memory', threshold: 1000, available: 10 } as const;
    const uid = await b.manager.relief.evictOne(starved, measures);
    await settle();
    assert.equal(uid, b.manager.describe('default', 'low')?.uid);
    const low = [...b.runtime.sandboxes.values()].find((sandbox) => sandbox.uid === uid);
    assert.deepEqual(low?.stops, [{ container: 'web', signal: 'SIGQUIT', graceMs: 2_000 }]);
    assert.equal(b.manager.relief.isRunning(uid ?? ''), true);
    low?.exit('web', 137, 9);
    await settle();
    const status = b.status('low');
    assert.deepEqual([status.phase, status.reason], ['Failed', 'Evicted']);
    assert.match(status.message ?? '', /Container web was using 600, request is 100, has larger consumption of memory/);
    const target = status.conditions.find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual([target?.status, target?.reason], ['True', 'TerminationByKubelet']);
    assert.equal(b.status('high').phase, 'Running');
    assert.equal(b.manager.relief.isRunning(uid ?? ''), false);
  });

  test('spares critical pods and those that are ending anyway', async () => {
    const b = await bench();
    await b.apply(desired(pod('critical', { priority: 2_000_001_000 })));
    const starved = { resource: 'inodes', threshold: 1000, available: 10 } as const;
    assert.equal(await b.manager.relief.evictOne(starved, measures), undefined);
    await b.apply(desired(pod('plain')));
    const first = await b.manager.relief.evictOne(starved, measures);
    assert.equal(first, b.manager.describe('default', 'plain')?.uid);
    assert.equal(await b.manager.relief.evictOne(starved, measures), undefined, 'it is on its way');
  });
});
