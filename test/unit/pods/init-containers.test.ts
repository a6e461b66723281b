/** Init containers and sidecars: who waits for whom, and who ends when; over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';
import { condition, exit, probe, sidecar, started, stops } from './group-words.ts';

describe('init containers', () => {
  const two = [container('one'), container('two')];

  test('one after the other, then the containers', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers: two })));
    assert.deepEqual(started(b), ['one/0']);
    assert.equal(b.status('p').phase, 'Pending');
    assert.equal(b.container('p').state.waiting?.reason, 'PodInitializing');
    assert.equal(condition(b, 'Initialized')?.message, 'containers with incomplete status: [one two]');
    await exit(b, 'one');
    await exit(b, 'two');
    assert.deepEqual(started(b), ['one/0', 'two/0', 'web/0']);
    assert.equal(b.status('p').phase, 'Running');
    assert.equal(condition(b, 'Initialized')?.status, 'True');
  });

  for (const policy of ['Always', 'OnFailure', 'Never'] as const) {
    test(`one that fails, under ${policy}`, async () => {
      const b = await bench();
      await b.apply(desired(pod('p', { initContainers: two, restartPolicy: policy })));
      await exit(b, 'one', 1);
      assert.deepEqual(started(b), policy === 'Never' ? ['one/0'] : ['one/0', 'one/1']);
      assert.equal(b.status('p').phase, policy === 'Never' ? 'Failed' : 'Pending');
      assert.equal(b.container('p').state.waiting?.reason, 'PodInitializing');
    });
  }

  test('a lost sandbox begins again with the first, a restarted agent does not', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers: two })));
    await exit(b, 'one');
    b.crash();
    await b.boot();
    await exit(b, 'two');
    assert.deepEqual(started(b), ['one/0', 'two/0', 'web/0']);
    b.sandbox().lose();
    await settle();
    assert.deepEqual(started(b).slice(3), ['one/1']);
    assert.equal(b.status('p').phase, 'Pending');
    await exit(b, 'one');
    await exit(b, 'two');
    assert.deepEqual(started(b).slice(3), ['one/1', 'two/1', 'web/1']);
  });

  test('after a reboot too; with OnFailure what had succeeded is not done again, a run-once pod ends', async () => {
    for (const policy of ['OnFailure', 'Never'] as const) {
      const b = await bench();
      const containers = [container('web'), container('side')];
      await b.apply(desired(pod('p', { initContainers: [container('one')], containers, restartPolicy: policy })));
      await exit(b, 'one');
      await exit(b, 'web');
      b.powerCut();
      await b.boot();
      if (policy === 'Never') assert.equal(b.status('p').phase, 'Failed');
      else {
        await exit(b, 'one');
        assert.deepEqual(started(b), ['one/0', 'web/0', 'side/0', 'one/1', 'side/1']);
      }
    }
  });
});

describe('sidecars', () => {
  test('the next waits for its startup probe, and not for its restarts', async () => {
    const b = await bench();
    const initContainers = [sidecar('proxy', { startupProbe: probe('up') }), container('one')];
    await b.apply(desired(pod('p', { initContainers })));
    assert.deepEqual(started(b), ['proxy/0']);
    b.prober.say('up', true);
    await settle();
    assert.deepEqual(started(b), ['proxy/0', 'one/0']);
    await exit(b, 'proxy');
    await exit(b, 'one');
    assert.deepEqual(started(b), ['proxy/0', 'one/0', 'proxy/1', 'web/0']);
  });

  test('keeps no pod alive: it is stopped when the containers are done, and only then the pod has ended', async () => {
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers: [sidecar('proxy')], restartPolicy: 'Never' })));
    await exit(b, 'web');
    assert.deepEqual(stops(b), ['proxy']);
    assert.equal(b.status('p').phase, 'Running');
    await exit(b, 'proxy', 1);
    assert.equal(b.status('p').phase, 'Succeeded');
  });

  test('end in reverse order after the containers; when the grace is over all at once', async () => {
    const initContainers = [sidecar('a'), sidecar('b')];
    const b = await bench();
    await b.apply(desired(pod('p', { initContainers })));
    await b.apply(tombstone('p', 10));
    assert.deepEqual(stops(b), ['web']);
    await b.time.advance(3_500);
    await exit(b, 'web');
    assert.deepEqual(stops(b), ['web', 'b']);
    assert.equal(b.sandbox().stops[1]?.graceMs, 7_000);
    await b.time.advance(6_500);
    assert.deepEqual(stops(b), ['web', 'b', 'a']);
    assert.equal(b.sandbox().stops[2]?.graceMs, 2_000);
  });
});
