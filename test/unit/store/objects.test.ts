import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ObjectKey, StoredObject } from '../../../src/store/objects.ts';
import { NOW, tempStore } from './temp-store.ts';

const WEB: ObjectKey = { kind: 'pods', namespace: 'default', name: 'web', source: 'device' };

function object(changes: Partial<StoredObject> = {}): Omit<StoredObject, 'seq' | 'receivedAt'> {
  return {
    ...WEB,
    manifest: '{"kind":"Pod"}',
    specDigest: 's1',
    manifestDigest: 'm1',
    generation: 3,
    deletionTimestamp: undefined,
    topic: 'edgepod/devices/a/desired/pods/default/web',
    ...changes,
  };
}

describe('objects', () => {
  test('gives back what was put, with its number and time', (t) => {
    const { objects } = tempStore(t);
    objects.put(object());
    assert.deepEqual(objects.get(WEB), { ...object(), seq: 1, receivedAt: NOW.toISOString() });
    objects.put(object({ specDigest: 's2', generation: undefined, deletionTimestamp: '2026-01-01T00:00:00Z' }));
    const stored = objects.get(WEB);
    assert.equal(stored?.seq, 2);
    assert.equal(stored?.generation, undefined);
    assert.equal(stored?.deletionTimestamp, '2026-01-01T00:00:00Z');
    assert.equal(objects.newestSeq(), 2);
  });

  test('the device wins over its groups, groups by name', (t) => {
    const { objects } = tempStore(t);
    for (const source of ['group:b', 'group:a', 'device']) objects.put(object({ source, manifest: source }));
    objects.put(object({ name: 'only-group', source: 'group:b', manifest: 'group:b' }));
    objects.put(object({ kind: 'secrets', source: 'device', manifest: 'secret' }));
    const winners = () => objects.effective('pods').map(({ name, source, manifest }) => [name, source, manifest]);
    assert.deepEqual(winners(), [
      ['only-group', 'group:b', 'group:b'],
      ['web', 'device', 'device'],
    ]);
    assert.equal(objects.effectiveOne('pods', 'default', 'web')?.source, 'device');
    objects.remove(WEB);
    assert.equal(objects.effectiveOne('pods', 'default', 'web')?.manifest, 'group:a');
    assert.deepEqual(
      objects.sources('pods', 'default', 'web').map(({ source }) => source),
      ['group:a', 'group:b'],
    );
    assert.deepEqual(
      objects.summaries('pods').map(({ name, source }) => [name, source]),
      [
        ['only-group', 'group:b'],
        ['web', 'group:a'],
      ],
    );
  });

  test('forgets groups the device has left', (t) => {
    const { objects } = tempStore(t);
    for (const source of ['device', 'group:a', 'group:b']) objects.put(object({ source }));
    objects.reject({ ...WEB, source: 'group:c' }, 'd', []);
    assert.deepEqual(objects.keepGroups(['a']).sort(), ['b', 'c']);
    assert.deepEqual(objects.keepGroups(['a']), []);
    assert.equal(objects.sources('pods', 'default', 'web').length, 2);
  });

  test('a rejection is news once, stays beside the good one, and ends with the next good one', (t) => {
    const { objects } = tempStore(t);
    objects.put(object());
    const errors = [{ path: 'spec', reason: 'missing' }];
    assert.equal(objects.reject(WEB, 'd1', errors), true);
    assert.equal(objects.reject(WEB, 'd1', errors), false);
    assert.equal(objects.get(WEB)?.specDigest, 's1');
    assert.deepEqual(objects.rejections('pods'), [
      { ...WEB, payloadDigest: 'd1', errors, receivedAt: NOW.toISOString() },
    ]);
    objects.put(object({ manifestDigest: 'm2' }));
    assert.deepEqual(objects.rejections('pods'), []);
    assert.equal(objects.clearRejection(WEB), false);
    objects.reject(WEB, 'd1', errors);
    assert.equal(objects.remove(WEB), true);
    assert.equal(objects.remove(WEB), false);
    assert.deepEqual(objects.rejections('pods'), []);
  });
});
