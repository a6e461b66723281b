/** A manifest that changes while its pod runs, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { desired, pod } from './fixtures.ts';

describe('updates', () => {
  test('a changed spec replaces the pod under a new uid once the old one is gone', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    await b.apply(desired(pod('site', { hostname: 'other' })));
    assert.equal(b.sandbox().stops[0]?.graceMs, 30_000);
    assert.deepEqual(
      b.runtime.created.map(({ uid }) => uid),
      ['uid-1'],
    );
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.sandbox().uid, 'uid-2');
    assert.deepEqual([...b.disk.keys()], ['uid-2']);
    assert.deepEqual(b.cleared, [], 'the status topic goes from one to the other');
    assert.equal(b.published.at(-1)?.metadata.uid, 'uid-2');
  });

  test('labels alone are taken over in place', async () => {
    const b = await bench();
    const object = pod('site');
    await b.apply(desired(object, { generation: 1 }));
    const labelled = { ...object, metadata: { ...object.metadata, labels: { tier: 'edge' } } };
    await b.apply(desired(labelled, { generation: 2 }));
    assert.equal(b.runtime.created.length, 1);
    assert.deepEqual(b.published.at(-1)?.metadata.labels, { tier: 'edge' });
    assert.equal(b.status('site').observedGeneration, 2);
  });

  test('the same manifest under other defaults restarts nothing', async () => {
    const b = await bench();
    const object = desired(pod('site'));
    await b.apply(object);
    await b.apply({ ...object, specDigest: 'of a newer agent' });
    assert.equal(b.sandbox().stops.length, 0);
  });

  test('a refused manifest is reported beside the pod that runs on, until a good one comes', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    const errors = [{ path: 'spec.containers[0].image', reason: 'required' }];
    b.manager.rejected('default', 'site', errors);
    await settle();
    assert.equal(b.published.at(-1)?.status.phase, 'Running');
    assert.deepEqual(b.published.at(-1)?.status.errors, errors);
    b.manager.changed('default', 'site');
    await settle();
    assert.equal(b.published.at(-1)?.status.errors, undefined);
  });

  test('a refused manifest without a good one before is a failed pod without a spec', async () => {
    const b = await bench();
    b.manager.rejected('default', 'bad', [{ path: 'spec', reason: 'required' }]);
    await settle();
    const { status, spec } = b.published.at(-1) ?? {};
    assert.equal(spec, undefined);
    assert.deepEqual([status?.phase, status?.reason, status?.message], ['Failed', 'InvalidManifest', 'spec: required']);
  });
});
