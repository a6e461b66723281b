import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallerStatus } from '../../../src/agent/broker/smaller-status.ts';

test('a pod loses spec and annotations and keeps its status; anything else has no smaller form', () => {
  const metadata = { name: 'p', namespace: 'default', uid: 'u' };
  const pod = {
    kind: 'Pod',
    metadata: { ...metadata, annotations: { long: 'x' } },
    spec: {},
    status: { phase: 'Running' },
  };
  const smaller = smallerStatus(Buffer.from(JSON.stringify(pod)));
  assert.deepEqual(JSON.parse(String(smaller)), { kind: 'Pod', metadata, status: { phase: 'Running' } });
  assert.equal(smallerStatus(smaller as Uint8Array), undefined);
  assert.equal(smallerStatus(Buffer.from('{"kind":"Node","spec":{}}')), undefined);
  assert.equal(smallerStatus(new Uint8Array()), undefined);
});
