import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tempStore } from './temp-store.ts';

describe('pods', () => {
  test('an unchanged record is no write', (t) => {
    const { pods } = tempStore(t);
    const pod = { uid: 'u1', namespace: 'default', name: 'web', record: '{"a":1}' };
    assert.equal(pods.put(pod), true);
    assert.equal(pods.put(pod), false);
    assert.equal(pods.put({ ...pod, record: '{"a":2}' }), true);
    assert.equal(pods.get('u1')?.record, '{"a":2}');
    assert.equal(pods.list().length, 1);
    assert.equal(pods.remove('u1'), true);
    assert.equal(pods.get('u1'), undefined);
  });
});

describe('images', () => {
  const layers = (...ids: string[]) => ids.map((diffId, i) => ({ diffId, size: 10 * (i + 1) }));

  test('share layers, in order, and leave unlinked ones behind for removal', (t) => {
    const { images } = tempStore(t);
    const common = { config: '{}', architecture: 'arm64', os: 'linux' };
    images.save({ ...common, id: 'i1', layers: layers('base', 'top'), refs: ['nginx:1', 'nginx:latest'] });
    images.save({ ...common, id: 'i2', layers: layers('base', 'other'), refs: ['nginx:latest'] });
    assert.deepEqual(images.byRef('nginx:latest')?.layers, ['base', 'other']);
    assert.deepEqual(images.get('i1')?.refs, ['nginx:1']);
    assert.equal(images.get('i1')?.size, 30);
    assert.equal(images.remove('i1'), true);
    assert.equal(images.byRef('nginx:1'), undefined);
    assert.deepEqual(images.unlinkedLayers(), [{ diffId: 'top', size: 20 }]);
    assert.equal(images.removeLayer('base'), false);
    assert.equal(images.removeLayer('top'), true);
    assert.deepEqual(
      images.layers().map(({ diffId }) => diffId),
      ['base', 'other'],
    );
  });

  test('the same layer twice in one image, and the same image twice, are fine', (t) => {
    const { images } = tempStore(t);
    const image = { id: 'i', config: '{}', architecture: 'arm64', os: 'linux', layers: layers('x', 'x'), refs: ['a'] };
    images.save(image);
    images.save({ ...image, refs: ['b'] });
    assert.deepEqual(images.get('i')?.layers, ['x', 'x']);
    assert.deepEqual(images.get('i')?.refs, ['a', 'b']);
  });

  test('a reference needs its image', (t) => {
    const { images } = tempStore(t);
    assert.throws(() => images.tag('a', 'nothing'), { code: 'E_STORE_STATEMENT', retry: false });
  });
});

describe('leases', () => {
  test('one owner each; released by the owner only', (t) => {
    const { leases } = tempStore(t);
    assert.equal(leases.take('ip', '10.88.0.2', 'p1'), true);
    assert.equal(leases.take('ip', '10.88.0.2', 'p1'), true);
    assert.equal(leases.take('ip', '10.88.0.2', 'p2'), false);
    assert.equal(leases.take('port', '10.88.0.2', 'p2'), true);
    assert.equal(leases.release('ip', '10.88.0.2', 'p2'), false);
    assert.equal(leases.holder('ip', '10.88.0.2'), 'p1');
    assert.equal(leases.releaseAll('p1'), 1);
    assert.equal(leases.holder('ip', '10.88.0.2'), undefined);
    assert.deepEqual(leases.list('port'), [{ kind: 'port', key: '10.88.0.2', owner: 'p2' }]);
  });
});

describe('meta', () => {
  test('values and counters', (t) => {
    const { meta } = tempStore(t);
    assert.equal(meta.get('subnet'), undefined);
    meta.set('subnet', '10.88.1.0/24');
    assert.equal(meta.get('subnet'), '10.88.1.0/24');
    assert.equal(meta.increment('n'), 1);
    assert.equal(meta.increment('n', 5), 6);
    assert.equal(meta.remove('n'), true);
  });
});

test('a transaction over several tables is all or nothing', (t) => {
  const store = tempStore(t);
  assert.throws(() =>
    store.transaction(() => {
      store.meta.set('a', '1');
      store.outbox.addEvent('e', () => 'x');
      throw new Error('half-way');
    }),
  );
  assert.equal(store.meta.get('a'), undefined);
  assert.deepEqual(store.outbox.counts(), { retained: 0, events: 0 });
});
