/** What changes in a pod that runs on: images and resources; over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';
import { condition, exit, started, stops } from './group-words.ts';

describe('in place', () => {
  test('a changed image restarts that container alone, whatever its policy', async () => {
    const b = await bench();
    const with2 = (image: string) =>
      desired(pod('p', { restartPolicy: 'Never', containers: [container('web', { image }), container('side')] }));
    await b.apply(with2('debian'));
    await b.apply(with2('nginx'));
    assert.deepEqual(stops(b), ['web']);
    await exit(b, 'web', 0);
    assert.deepEqual(started(b), ['web/0', 'side/0', 'web/1']);
  });

  for (const change of [
    { image: 'nginx' },
    { resources: { limits: { memory: '200' }, requests: { memory: '200' } } },
  ]) {
    test(`the back-off begins anew with other ${Object.keys(change)}`, async () => {
      const b = await bench();
      const first = { resources: { limits: { memory: '100' }, requests: { memory: '100' } } };
      const of = (fields: object) => desired(pod('p', { containers: [container('web', { ...first, ...fields })] }));
      await b.apply(of({}));
      await exit(b, 'web', 1);
      await exit(b, 'web', 1);
      assert.match(b.container('p').state.waiting?.message ?? '', /^back-off 10s/);
      await b.apply(of(change));
      assert.deepEqual(started(b), ['web/0', 'web/1', 'web/2'], 'at once');
      await exit(b, 'web', 1);
      assert.match(b.container('p').state.waiting?.message ?? '', /^back-off 10s/);
      await b.time.advance(10_000);
      await exit(b, 'web', 1);
      assert.match(b.container('p').state.waiting?.message ?? '', /^back-off 20s/, 'and grows again');
    });
  }

  for (const restartPolicy of ['NotRequired', 'RestartContainer'] as const) {
    test(`a changed limit: ${restartPolicy}`, async () => {
      const b = await bench();
      const of = (memory: string) => {
        const resources = { limits: { memory }, requests: { memory } };
        const resizePolicy = [{ resourceName: 'memory', restartPolicy }];
        return desired(pod('p', { containers: [container('web', { resources, resizePolicy })] }));
      };
      await b.apply(of('100'));
      await b.apply(of('200'));
      if (restartPolicy === 'NotRequired') {
        const { updates } = b.sandbox();
        assert.deepEqual(
          updates.map(({ container: name }) => name),
          [undefined, 'web', undefined],
          'room first, then the container, then what the pod is to have',
        );
        assert.deepEqual(updates[1]?.resources, { memory: { limit: 200 } });
        assert.deepEqual(b.container('p').resources?.limits, { memory: '200' });
        b.crash();
        await b.boot();
        assert.equal(b.sandbox().updates.length, 3, 'not done again');
      } else assert.deepEqual(stops(b), ['web']);
    });
  }

  const sized = (name: string, memory: string, spec: object = {}) => {
    const resources = { limits: { memory }, requests: { memory } };
    return desired(pod(name, { containers: [container('web', { resources })], ...spec }));
  };

  test('a resize there is no room for is deferred, survives the agent, and is done when there is', async () => {
    const b = await bench();
    b.allocatable = { ...b.allocatable, memoryBytes: 1000 };
    await b.apply(sized('p', '400'));
    await b.apply(sized('other', '400'));
    await b.apply(sized('p', '700'));
    const pending = () => condition(b, 'PodResizePending');
    assert.deepEqual([pending()?.reason, pending()?.status], ['Deferred', 'True']);
    assert.match(pending()?.message ?? '', /memory, requested: 700, used: 400, capacity: 1000/);
    const shown = b.manager.describe('default', 'p')?.pod.spec;
    assert.deepEqual(shown?.containers[0]?.resources.limits, { memory: '700' }, 'the spec is what was asked for');
    assert.deepEqual(b.container('p').allocatedResources, { memory: '400' });
    const [first] = b.runtime.sandboxes.values();
    assert.deepEqual(first?.updates, []);
    await b.time.advance(1_000);
    b.crash();
    await b.boot();
    assert.equal(pending()?.reason, 'Deferred');
    await b.time.advance(2_000); // what starting again wrote
    const writes = b.writes;
    await b.time.advance(600_000);
    assert.equal(b.writes, writes, 'asking again writes nothing');

    await b.apply(tombstone('other'));
    const [kept, other] = b.runtime.sandboxes.values();
    other?.exit('web', 0);
    await settle();
    assert.equal(kept?.updates[1]?.container, 'web');
    assert.equal(pending(), undefined);
    assert.deepEqual(b.container('p').allocatedResources, { memory: '700' });
    await b.time.advance(50);
    assert.deepEqual(
      b.reasons().filter((reason) => reason.startsWith('Resize')),
      ['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted'],
    );
  });

  test('a resize the node can never have is infeasible; taken back, nothing is left of it', async () => {
    const b = await bench();
    b.allocatable = { ...b.allocatable, memoryBytes: 1000 };
    await b.apply(sized('p', '400'));
    await b.apply(sized('p', '1001'));
    assert.equal(condition(b, 'PodResizePending')?.reason, 'Infeasible');
    await b.apply(sized('p', '400'));
    assert.equal(condition(b, 'PodResizePending'), undefined);
    assert.deepEqual(started(b), ['web/0']);
  });

  test('a limit below what is in use is not set; it is tried again', async () => {
    const b = await bench();
    await b.apply(sized('p', '400'));
    b.memory.set('edgepod/poduid-1/web', 300);
    await b.apply(sized('p', '200'));
    const progress = condition(b, 'PodResizeInProgress');
    assert.equal(progress?.reason, 'Error');
    assert.match(progress?.message ?? '', /container web \(200 bytes\) below its current usage \(300 bytes\)/);
    assert.deepEqual(b.sandbox().updates, []);
    assert.deepEqual(b.container('p').resources?.limits, { memory: '400' });
    b.memory.clear();
    await b.time.advance(10_000);
    assert.deepEqual(b.container('p').resources?.limits, { memory: '200' });
    assert.equal(condition(b, 'PodResizeInProgress'), undefined);
  });

  test('amounts of the pod as a whole change in place, and with them what containers have from it', async () => {
    const b = await bench();
    const of = (memory: string) =>
      desired(pod('p', { resources: { limits: { memory }, requests: { memory } }, containers: [container('web')] }));
    await b.apply(of('400'));
    await b.apply(of('500'));
    assert.deepEqual(
      b.sandbox().updates.map(({ container: name }) => name),
      [undefined, 'web', undefined],
    );
    assert.equal(condition(b, 'PodResizeInProgress'), undefined);
    assert.deepEqual(b.status('p').allocatedResources, { memory: '500' });
    assert.deepEqual(b.status('p').resources?.limits, { memory: '500' });
    assert.deepEqual(started(b), ['web/0']);
  });
});
