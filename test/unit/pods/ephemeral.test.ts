/** Containers that are added to a running pod. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EphemeralContainer } from '../../../src/manifest/types/container.ts';
import { changeOf, newRecord, postponedRecord, updatedRecord } from '../../../src/pods/changes/change.ts';
import { ephemeralErrors, withEphemeral } from '../../../src/pods/changes/ephemeral.ts';
import { bench } from './bench.ts';
import { container, desired, pod } from './fixtures.ts';

const added = (name: string, fields: Partial<EphemeralContainer> = {}): EphemeralContainer => container(name, fields);
const debugged = (...ephemeralContainers: EphemeralContainer[]) => pod('site', { ephemeralContainers });
const begin = { uid: 'uid-1', bootId: 'b', now: new Date(0), mono: 0 };

describe('what a manifest with other ephemeral containers means', () => {
  const rows: [string, EphemeralContainer[], EphemeralContainer[], string[], string[]][] = [
    ['one more', [], [added('a')], ['a'], []],
    ['a second', [added('a')], [added('a'), added('b')], ['a', 'b'], []],
    ['none any more: what was added stays', [added('a')], [], ['a'], []],
    ['another one only', [added('a')], [added('b')], ['a', 'b'], []],
    ['the other way round', [added('a'), added('b')], [added('b'), added('a')], ['a', 'b'], []],
    [
      'a changed one',
      [added('a')],
      [added('b'), added('a', { image: 'nginx' })],
      ['a', 'b'],
      ['spec.ephemeralContainers[1]'],
    ],
  ];
  for (const [what, before, after, names, errors] of rows)
    test(what, () => {
      const record = newRecord(desired(debugged(...before)), begin);
      const wanted = desired(debugged(...after));
      assert.equal(changeOf(record, wanted), 'update');
      const { pod: next, containers } = updatedRecord(record, wanted);
      assert.deepEqual(
        next.spec.ephemeralContainers?.map(({ name }) => name),
        names,
      );
      for (const known of before)
        assert.deepEqual(
          next.spec.ephemeralContainers?.find(({ name }) => name === known.name),
          known,
        );
      assert.deepEqual(Object.keys(containers).sort(), [...names, 'web'].sort());
      assert.deepEqual(
        ephemeralErrors(record, wanted).map(({ path }) => path),
        errors,
      );
    });

  test('with an image it is an update too, with another command another pod', () => {
    const record = newRecord(desired(pod('site')), begin);
    const spec = (fields: object) => ({ containers: [container('web', fields)], ephemeralContainers: [added('a')] });
    assert.equal(changeOf(record, desired(pod('site', spec({ image: 'nginx' })))), 'update');
    assert.equal(changeOf(record, desired(pod('site', spec({ command: ['x'] })))), 'replace');
  });

  test('a pod that has ended is not begun anew for one', () => {
    const record = { ...newRecord(desired(pod('site')), begin), outcome: { phase: 'Succeeded' as const } };
    assert.equal(changeOf(record, desired(debugged(added('a')))), 'update');
  });

  test('a resize that has to wait does not hold it up', () => {
    const record = newRecord(desired(pod('site')), begin);
    const wanted = pod('site', {
      containers: [container('web', { resources: { requests: { cpu: '9' } } })],
      ephemeralContainers: [added('a')],
    });
    const next = postponedRecord(record, desired(wanted), { reason: 'Deferred', message: 'no room' });
    assert.deepEqual(next.pod.spec.containers, record.pod.spec.containers);
    assert.deepEqual(next.pod.spec.ephemeralContainers, [added('a')]);
    assert.equal(next.containers.a?.launched, -1);
  });

  test('a spec without any has no such member', () => {
    assert.ok(!('ephemeralContainers' in withEphemeral(pod('a').spec, pod('b').spec)));
  });
});

describe('an ephemeral container', () => {
  test('waits for the sandbox, builds none, and holds up no other', async () => {
    const b = await bench();
    b.imageFailures.set('debian', { code: 'ErrImagePull', message: 'no' });
    await b.apply(desired(pod('site')));
    await b.apply(desired(debugged(added('a', { image: 'nginx' }), added('b'))));
    assert.deepEqual(b.runtime.created, []);
    b.imageFailures.clear();
    await b.time.advance(20_000);
    assert.deepEqual(b.runtime.started, ['uid-1/web/0', 'uid-1/a/0', 'uid-1/b/0']);
  });

  test('is not started again: not after its end, not in another sandbox, not in another pod', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    await b.apply(desired(debugged(added('a'))));
    const [sandbox] = [...b.runtime.sandboxes.values()];
    sandbox?.exit('a', 1);
    await b.time.advance(600_000);
    sandbox?.lose();
    await b.time.advance(600_000);
    await b.apply(desired({ ...debugged(added('a')), spec: { ...debugged(added('a')).spec, hostname: 'other' } }));
    await b.time.advance(600_000);
    assert.deepEqual(
      b.runtime.started.filter((id) => id.includes('/a/')),
      ['uid-1/a/0'],
    );
    const [status] = b.status('site').ephemeralContainerStatuses ?? [];
    assert.equal(status?.state.terminated?.reason, 'NotStarted');
  });

  test('counts for nothing: neither readiness nor phase nor the end of the pod', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', { restartPolicy: 'Never' })));
    await b.apply(desired(pod('site', { restartPolicy: 'Never', ephemeralContainers: [added('a')] })));
    const { conditions, ephemeralContainerStatuses } = b.status('site');
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.status, 'True');
    assert.deepEqual(
      ephemeralContainerStatuses?.map(({ ready, started }) => [ready, started]),
      [[false, undefined]],
    );
    const [sandbox] = [...b.runtime.sandboxes.values()];
    sandbox?.exit('web', 0);
    await b.time.advance(1);
    assert.equal(b.status('site').phase, 'Running', 'something still runs');
    assert.deepEqual(
      sandbox?.stops.map(({ container: name }) => name),
      ['a'],
    );
    sandbox?.exit('a', 143);
    await b.time.advance(1);
    assert.equal(b.status('site').phase, 'Succeeded');
  });

  test('waits for the container it is to look into', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    const [sandbox] = [...b.runtime.sandboxes.values()];
    sandbox?.exit('web', 1);
    await b.apply(desired(debugged(added('a', { targetContainerName: 'web' }))));
    assert.match(
      b.status('site').ephemeralContainerStatuses?.[0]?.state.waiting?.message ?? '',
      /unable to find target container web/,
    );
    await b.time.advance(30_000);
    assert.ok(b.runtime.started.includes('uid-1/a/0'));
  });
});
