/** Pods that do not fit, and what waits for others to go, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod } from './fixtures.ts';

describe('room on the node', () => {
  const asking = (memory: string) => ({ containers: [container('web', { resources: { requests: { memory } } })] });

  test('a pod that does not fit fails with the figures, holds nothing, and stays so', async () => {
    const b = await bench();
    b.allocatable.memoryBytes = 100;
    await b.apply(desired(pod('first', asking('60'))));
    await b.apply(desired(pod('second', asking('50'))));
    const { phase, reason, message, containerStatuses } = b.status('second');
    assert.deepEqual([phase, reason, containerStatuses.length], ['Failed', 'OutOfmemory', 0]);
    assert.equal(message, "Node didn't have enough resource: memory, requested: 50, used: 60, capacity: 100");
    assert.equal(b.runtime.created.length, 1);
    b.crash();
    b.allocatable.memoryBytes = 10;
    await b.boot();
    assert.equal(b.status('second').phase, 'Failed');
    assert.equal(b.status('first').phase, 'Running', 'an admitted pod is not evaluated again');
  });

  test('what only waits for a pod that is being terminated is Pending until that is gone', async () => {
    const b = await bench();
    b.allocatable.memoryBytes = 100;
    const first = desired(pod('first', asking('60')));
    await b.apply(first);
    await b.apply({ ...first, deletionTimestamp: '2026-01-01T00:00:00Z' });
    await b.apply(desired(pod('second', asking('50'))));
    await b.apply(desired(pod('third', asking('60'))));
    await b.time.advance(2_000);
    const shown = b.published.filter(({ metadata }) => metadata.name === 'second').at(-1);
    assert.equal(shown?.status.phase, 'Pending');
    assert.match(shown?.status.conditions[0]?.message ?? '', /being terminated: .* requested: 50, used: 60/);
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.status('second').phase, 'Running');
    assert.equal(b.status('third').reason, 'OutOfmemory', 'nobody goes any more');
  });

  test('a pod replaced by a larger one of its name does not count against itself', async () => {
    const b = await bench();
    b.allocatable.memoryBytes = 100;
    await b.apply(desired(pod('site', asking('60'))));
    await b.apply(desired(pod('site', asking('90'))));
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.status('site').phase, 'Running');
  });
});
