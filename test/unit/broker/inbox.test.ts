import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Inbox, type IntakeResult } from '../../../src/broker/inbox.ts';
import type { Admit } from '../../../src/broker/intake.ts';
import { Topics } from '../../../src/broker/topics.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { memoryLog, tempStore } from '../store/temp-store.ts';

const topics = new Topics({ device: 'a', groups: ['g'] });
const TOPIC = 'edgepod/devices/a/desired/pods/default/web';

/** Text that is a digest of itself; `bad` is refused, `crash` makes the parser throw. */
const admit: Admit = (_, bytes) => {
  const text = Buffer.from(bytes).toString();
  if (text.startsWith('crash')) throw new RangeError('Maximum call stack size exceeded');
  if (text.startsWith('bad'))
    return { errors: Array.from({ length: 60 }, (_, i) => ({ path: `p${i}`, reason: text })) };
  return { object: { metadata: { name: 'web' } }, digests: { spec: text, manifest: text }, warnings: [] };
};

function setUp(t: TestContext) {
  const store = tempStore(t);
  const results: IntakeResult[] = [];
  const inbox = new Inbox({
    topics,
    objects: store.objects,
    admit,
    log: memoryLog(),
    onResult: (r) => results.push(r),
  });
  const handle = (text: string, { topic = TOPIC, retained = false } = {}) => {
    inbox.handle({ topic, payload: Buffer.from(text), retained });
    const { action, news } = results.at(-1) as IntakeResult;
    return [action, news];
  };
  return { store, results, handle, inbox };
}

describe('inbox', () => {
  test('keeps the last good state through refusals, and tells news from repetition', (t) => {
    const { store, results, handle } = setUp(t);
    assert.deepEqual(handle('v1'), ['put', true]);
    assert.deepEqual(handle('v1', { retained: true }), ['same', false]);
    assert.deepEqual(handle('bad'), ['rejected', true]);
    assert.deepEqual(handle('bad', { retained: true }), ['rejected', false]);
    assert.equal(results.at(-1)?.errors.length, 51);
    assert.deepEqual(results.at(-1)?.errors.at(-1), { path: '', reason: 'and 10 more' });
    assert.equal(store.objects.effectiveOne('pods', 'default', 'web')?.specDigest, 'v1');
    assert.deepEqual(handle('v1'), ['same', true], 'the good one again ends the refusal');
    assert.deepEqual(handle(''), ['deleted', true]);
    assert.deepEqual(handle(''), ['ignored', false]);
  });

  test('an unchanged retained state costs no write', (t) => {
    const { store, handle } = setUp(t);
    handle('v1');
    const before = store.objects.newestSeq();
    for (let i = 0; i < 5; i++) handle('v1', { retained: true });
    assert.equal(store.objects.newestSeq(), before);
  });

  test('clearing the topic of a manifest that was never accepted clears its refusal', (t) => {
    const { store, handle } = setUp(t);
    handle('bad');
    assert.equal(store.objects.rejections('pods').length, 1);
    assert.deepEqual(handle(''), ['ignored', true]);
    assert.equal(store.objects.rejections('pods').length, 0);
  });

  test('a parser that gives up is a refusal with a reason', (t) => {
    const { results, handle } = setUp(t);
    assert.deepEqual(handle('crash'), ['rejected', true]);
    assert.match(results.at(-1)?.errors[0]?.reason ?? '', /Maximum call stack/);
  });

  test('a pod may not be larger than a pod, a secret may', (t) => {
    const { results, handle } = setUp(t);
    assert.deepEqual(handle('x'.repeat(300_000)), ['rejected', true]);
    assert.match(results.at(-1)?.errors[0]?.reason ?? '', /300000 bytes, at most 262144/);
    const topic = TOPIC.replace('pods', 'secrets');
    assert.deepEqual(handle('x'.repeat(300_000), { topic }), ['put', true]);
  });

  test('a topic outside the contract is reported', (t) => {
    const { results, handle } = setUp(t);
    assert.deepEqual(handle('v1', { topic: 'edgepod/devices/a/desired/jobs/default/web' }), ['rejected', true]);
    assert.match(results.at(-1)?.errors[0]?.reason ?? '', /kind "jobs"/);
    assert.equal(results.at(-1)?.key, undefined);
  });

  test('a store that fails is the caller’s business, a listener that fails is not', (t) => {
    const { store, inbox } = setUp(t);
    const full = new StoreError('E_STORE_FULL', 'no', 'SQLITE_FULL');
    const failing = new Inbox({
      topics,
      objects: {
        ...objectsOf(store.objects),
        put: () => {
          throw full;
        },
      },
      admit,
      log: memoryLog(),
      onResult: () => assert.fail('nothing was stored'),
    });
    const message = { topic: TOPIC, payload: Buffer.from('v1'), retained: false };
    assert.throws(() => failing.handle(message), full);
    const careless = new Inbox({
      topics,
      objects: store.objects,
      admit,
      log: memoryLog(),
      onResult: () => {
        throw new Error('listener');
      },
    });
    careless.handle(message);
    assert.equal(store.objects.effectiveOne('pods', 'default', 'web')?.specDigest, 'v1');
    assert.equal(inbox.qos, 1);
  });
});

/** The table's methods as a plain object, so that one can be replaced. */
function objectsOf(objects: ReturnType<typeof tempStore>['objects']) {
  return {
    get: objects.get.bind(objects),
    put: objects.put.bind(objects),
    remove: objects.remove.bind(objects),
    reject: objects.reject.bind(objects),
    clearRejection: objects.clearRejection.bind(objects),
  };
}
