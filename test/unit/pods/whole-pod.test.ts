/** What befalls a pod as a whole, over faked ports: a deadline, limits the kernel lacks, a restart of all, an eviction. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod } from './fixtures.ts';
import { condition, exit, sidecar, started, stops } from './group-words.ts';

test('activeDeadlineSeconds: everything is stopped, Failed with DeadlineExceeded', async () => {
  const b = await bench();
  await b.apply(desired(pod('p', { activeDeadlineSeconds: 60 })));
  await b.time.advance(59_000);
  b.time.setWall(new Date('2040-01-01'));
  assert.deepEqual(stops(b), []);
  await b.time.advance(1_000);
  assert.deepEqual(stops(b), ['web']);
  await exit(b, 'web', 143);
  assert.deepEqual([b.status('p').phase, b.status('p').reason], ['Failed', 'DeadlineExceeded']);
});

test('limits the kernel cannot apply are told and stay a condition, also for the next agent', async () => {
  const b = await bench();
  b.runtime.podNotes = ['pids not limited'];
  b.runtime.notes.set('web', ['memory not limited', 'cpu not limited']);
  await b.apply(desired(pod('p', { containers: [container('web'), container('side')] })));
  const told = 'pod: pids not limited; container web: memory not limited; cpu not limited';
  assert.equal(condition(b, 'edgepod.io/LimitsInForce')?.message, told);
  assert.equal(condition(b, 'edgepod.io/LimitsInForce')?.status, 'False');
  await b.time.advance(1_000);
  assert.equal(b.reasons().filter((reason) => reason === 'LimitsNotApplied').length, 2);
  b.crash();
  await b.boot();
  assert.equal(condition(b, 'edgepod.io/LimitsInForce')?.message, told);
  b.runtime.podNotes = [];
  b.runtime.notes.clear();
  await b.apply(desired(pod('q')));
  assert.equal(
    b.status('q').conditions.some(({ type }) => type === 'edgepod.io/LimitsInForce'),
    false,
  );
});

describe('RestartAllContainers', () => {
  const restartPolicyRules = [
    { action: 'Restart' as const, exitCodes: { operator: 'In' as const, values: [1] } },
    { action: 'RestartAllContainers' as const, exitCodes: { operator: 'In' as const, values: [1, 88] } },
  ];
  const watched = (restartPolicy: 'Never' | 'Always') =>
    desired(
      pod('p', {
        restartPolicy,
        initContainers: [container('one'), sidecar('watcher', { restartPolicyRules })],
        containers: [container('web'), container('job')],
      }),
    );

  for (const policy of ['Never', 'Always'] as const) {
    test(`everything begins anew, init containers and what had ended too: ${policy}`, async () => {
      const b = await bench();
      await b.apply(watched(policy));
      await exit(b, 'one');
      if (policy === 'Never') await exit(b, 'job');
      await exit(b, 'watcher', 88);
      assert.equal(b.runtime.created.length, 2, 'in a new sandbox');
      assert.equal(b.runtime.created[1]?.ip, b.runtime.created[0]?.ip);
      await exit(b, 'one');
      assert.deepEqual(started(b).slice(-4).sort(), ['job/1', 'one/1', 'watcher/1', 'web/1'].sort());
      assert.equal(b.status('p').phase, 'Running');
      await b.time.advance(50);
      assert.ok(b.reasons().includes('RestartingAllContainers'));
      assert.deepEqual(b.sandbox().stops, [], 'without grace');
    });
  }

  test('the first rule that matches decides', async () => {
    const b = await bench();
    await b.apply(watched('Never'));
    await exit(b, 'one');
    await exit(b, 'watcher', 1);
    assert.equal(b.runtime.created.length, 1);
    assert.deepEqual(started(b).at(-1), 'watcher/1');
  });

  for (const moment of ['before the sandbox is gone', 'while no agent is there'] as const) {
    test(`kill -9 of the agent ${moment}`, async () => {
      const b = await bench();
      await b.apply(watched('Never'));
      await exit(b, 'one');
      if (moment === 'while no agent is there') {
        b.crash();
        b.sandbox().exit('watcher', 88);
      } else {
        b.runtime.pause = (operation) => (operation === 'destroy' ? new Promise(() => {}) : Promise.resolve());
        await exit(b, 'watcher', 88);
        b.crash();
        b.runtime.pause = async () => {};
      }
      await b.boot();
      assert.equal(b.runtime.created.length, 2);
      await exit(b, 'one');
      assert.deepEqual(started(b).slice(-4).sort(), ['job/1', 'one/1', 'watcher/1', 'web/1'].sort());
    });
  }
});

test('a pod that is being evicted stays so for the next agent', async () => {
  const b = await bench();
  await b.apply(desired(pod('p')));
  const measures = {
    groups: (cgroups: string[]) => cgroups.map(() => ({ workingSet: 1, processes: 1 })),
    treeUsage: async () => new Float64Array(),
  };
  await b.manager.relief.evictOne({ resource: 'pids', threshold: 2, available: 1 }, measures);
  await settle();
  b.crash();
  await b.boot();
  await exit(b, 'web', 137);
  assert.deepEqual([b.status('p').phase, b.status('p').reason], ['Failed', 'Evicted']);
});
