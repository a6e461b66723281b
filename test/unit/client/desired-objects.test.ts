import assert from 'node:assert/strict';
import { test } from 'node:test';
import { desiredObject } from '../../../src/client/desired-objects.ts';

const read = (topic: string, text: string) =>
  desiredObject('edgepod', { topic, payload: Buffer.from(text), retained: true });

test('an object in JSON or YAML is known by its topic', () => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: whatever}\ndata: {a: "1"}\n';
  const found = read('edgepod/devices/board-7/desired/configmaps/kitchen/site', yaml);
  assert.equal(found?.source, 'device/board-7');
  assert.deepEqual(found?.object.metadata, { name: 'site', namespace: 'kitchen' });
  assert.deepEqual(found?.object.data, { a: '1' });
  const json = '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}';
  assert.equal(read('edgepod/groups/canary/desired/secrets/default/x', json)?.source, 'group/canary');
});

for (const [why, topic, text] of [
  ['a tombstone', 'desired/secrets/default/x', '{"metadata":{"name":"x","deletionTimestamp":"2026-01-01T00:00:00Z"}}'],
  ['nothing', 'desired/secrets/default/x', ''],
  ['text that is no object', 'desired/secrets/default/x', 'hello'],
  ['an object without metadata', 'desired/secrets/default/x', '{}'],
  ['another topic', 'status/pods/default/x', '{"metadata":{"name":"x"}}'],
] as const)
  test(`${why} is none`, () => assert.equal(read(`edgepod/devices/board-7/${topic}`, text), undefined));
