/** How pods end and what is left of them, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RuntimeError } from '../../../src/runtime/errors.ts';
import { Bench, bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { desired, pod, tombstone, two } from './fixtures.ts';

describe('the end', () => {
  test('a finished pod gives back all but its record and its address in the status', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    b.sandbox().exit('web', 0);
    await settle();
    assert.deepEqual([b.runtime.sandboxes.size, b.volumes.size, b.leases.size, b.disk.size], [0, 0, 0, 1]);
    const { phase, podIP, conditions } = b.status('job');
    assert.equal(phase, 'Succeeded');
    assert.equal(podIP, '10.88.0.2');
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted');
    b.crash();
    await b.boot();
    assert.equal(b.status('job').phase, 'Succeeded');
    assert.equal(b.runtime.started.length, 1);
  });

  test('delete: stop signal of the image, grace of the spec, then nothing is left and the topics are cleared', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', { ...two, terminationGracePeriodSeconds: 7 })));
    const sandbox = b.sandbox();
    await b.apply(tombstone('site'));
    assert.deepEqual(sandbox.stops, [
      { container: 'web', signal: 'SIGQUIT', graceMs: 7_000 },
      { container: 'side', signal: 'SIGQUIT', graceMs: 7_000 },
    ]);
    assert.equal(b.container('site').ready, true);
    const { metadata } = b.published.at(-1) ?? assert.fail();
    assert.equal(Date.parse(metadata.deletionTimestamp ?? ''), b.time.now().getTime() + 7_000, 'when it will be over');
    sandbox.exit('web', 0);
    await settle();
    assert.equal(b.runtime.sandboxes.size, 1);
    sandbox.exit('side', 0);
    await settle();
    assert.deepEqual([b.runtime.sandboxes.size, b.volumes.size, b.leases.size, b.disk.size], [0, 0, 0, 0]);
    assert.deepEqual([b.cleared, b.tombstonesDone], [['site'], ['site']]);
    assert.deepEqual(b.manager.list(), []);
  });

  test('a later tombstone shortens the grace and none lengthens it; 2 s is the least', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    for (const grace of [20, 25, 0]) await b.apply(tombstone('site', grace));
    assert.deepEqual(
      b.sandbox().stops.map(({ graceMs }) => graceMs),
      [20_000, 2_000],
    );
    const { metadata } = b.published.at(-1) ?? assert.fail();
    assert.equal(Date.parse(metadata.deletionTimestamp ?? ''), b.time.now().getTime() + 1_000);
  });

  test('a container that does not end is taken down with its sandbox', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', { terminationGracePeriodSeconds: 3 })));
    await b.apply(tombstone('site'));
    await b.time.advance(7_999);
    assert.equal(b.runtime.sandboxes.size, 1);
    await b.time.advance(1);
    assert.equal(b.runtime.sandboxes.size, 0);
    assert.equal(b.disk.size, 0);
  });

  test('a sandbox that cannot be destroyed is tried again; nothing is forgotten meanwhile', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.runtime.destroyFailures.push(new RuntimeError({ step: 'cgroup-remove', code: 'EBUSY' }));
    await b.apply(tombstone('site'));
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.disk.size, 1);
    assert.equal(b.tombstonesDone.length, 0);
    await b.time.advance(10_000);
    assert.equal(b.disk.size, 0);
    assert.ok(b.reasons().includes('FailedKillPod'));
  });

  for (const refused of ['status', 'tombstone'] as const)
    test(`a pod deleted while the disk is full is taken back from the broker when there is room: ${refused}`, async () => {
      const b = await bench();
      await b.apply(desired(pod('site')));
      b.clearFailure = { of: refused, error: new Error('disk full') };
      if (refused === 'tombstone') await b.apply(tombstone('site'));
      else {
        b.wanted.delete('site');
        b.manager.changed('default', 'site');
        b.manager.remove('default', 'site');
      }
      await b.time.advance(60_000);
      assert.equal(b.runtime.sandboxes.size, 0);
      assert.deepEqual(refused === 'tombstone' ? b.tombstonesDone : b.cleared, []);
      b.clearFailure = undefined;
      b.cleared.length = 0;
      await b.time.advance(10_000);
      assert.deepEqual([b.cleared, b.tombstonesDone], [['site'], refused === 'tombstone' ? ['site'] : []]);
    });

  test('a tombstone for a pod that never was is answered at once', async () => {
    const b = await bench();
    await b.apply(tombstone('ghost'));
    assert.deepEqual(b.tombstonesDone, ['ghost']);
    assert.deepEqual(b.manager.list(), []);
  });
});

describe('delete during a start', () => {
  test('while the image is awaited: at once', async () => {
    const b = await bench();
    b.imageGate = new Promise(() => {});
    await b.apply(desired(pod('site')));
    await b.apply(tombstone('site'));
    assert.deepEqual(b.tombstonesDone, ['site']);
    assert.equal(b.disk.size, 0);
  });

  test('while a back-off runs: at once', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.sandbox().exit('web', 1);
    await settle();
    b.sandbox().exit('web', 1);
    await settle();
    await b.apply(tombstone('site'));
    assert.deepEqual(b.tombstonesDone, ['site']);
    assert.equal(b.runtime.sandboxes.size, 0);
  });

  for (const held of ['create', 'start'] as const) {
    test(`while the runner is busy with ${held}: as soon as it answers, and nothing more is started`, async () => {
      const b = await bench();
      let release = () => {};
      b.runtime.pause = (operation) =>
        operation === held ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
      await b.apply(desired(pod('site')));
      await b.apply(tombstone('site'));
      assert.equal(b.disk.size, 1);
      release();
      await settle();
      if (held === 'start') b.sandbox().exit('web', 0);
      await settle();
      assert.equal(b.disk.size, 0);
      assert.equal(b.runtime.sandboxes.size, 0);
      assert.equal(b.runtime.started.length, held === 'start' ? 1 : 0);
    });
  }
});

describe('stopping and draining', () => {
  test('stop leaves pods running and writes what was learnt', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    await b.manager.stop();
    assert.equal(b.sandbox().stops.length, 0);
    assert.equal(b.writes, 2);
    assert.equal(b.reasons().length, 3);
  });

  test('drain ends everything at once if told so and leaves what is desired alone', async () => {
    const b = await bench();
    await b.apply(desired(pod('a')));
    await b.apply(desired(pod('b', { restartPolicy: 'Never' })));
    await b.manager.drain(0);
    assert.deepEqual([b.runtime.sandboxes.size, b.disk.size, b.leases.size, b.volumes.size], [0, 0, 0, 0]);
    assert.deepEqual([b.wanted.size, b.cleared.length], [2, 0]);
  });

  test('remove ends a pod that has no tombstone; it comes back if it is still desired', async () => {
    const b = new Bench();
    await b.boot();
    await b.apply(desired(pod('a')));
    b.manager.remove('default', 'a');
    await settle();
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.sandbox().uid, 'uid-2');
  });
});
