/** Containers that end and sandboxes that are lost: what runs again, and when; over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, two } from './fixtures.ts';

describe('restarts', () => {
  test('the first is immediate, then 10 s, 20 s, … 300 s after each end', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    const delays: number[] = [];
    for (let n = 0; n < 9; n++) {
      const starts = b.runtime.started.length;
      b.sandbox().exit('web', 1);
      await settle();
      let waited = 0;
      while (b.runtime.started.length === starts) {
        await b.time.advance(1_000);
        waited += 1;
      }
      delays.push(waited);
    }
    assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
    assert.equal(b.container('site').restartCount, 9);
  });

  test('ten minutes of running make the next restart immediate again', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    for (let n = 0; n < 3; n++) {
      b.sandbox().exit('web', 1);
      await b.time.advance(40_000);
    }
    await b.time.advance(600_001);
    const starts = b.runtime.started.length;
    b.sandbox().exit('web', 1);
    await settle();
    assert.equal(b.runtime.started.length, starts + 1);
  });

  test('the wall clock jumping by decades changes no back-off', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.sandbox().exit('web', 1);
    await settle();
    b.time.setWall(new Date('2056-01-01T00:00:00Z'));
    b.sandbox().exit('web', 1);
    await b.time.advance(9_999);
    assert.equal(b.runtime.started.length, 2);
    await b.time.advance(1);
    assert.equal(b.runtime.started.length, 3);
  });

  test('OnFailure restarts what failed and leaves what succeeded; the pod succeeds when all have', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { ...two, restartPolicy: 'OnFailure' })));
    b.sandbox().exit('web', 0);
    b.sandbox().exit('side', 1);
    await settle();
    assert.deepEqual(b.runtime.started, ['uid-1/web/0', 'uid-1/side/0', 'uid-1/side/1']);
    b.sandbox().exit('side', 0);
    await settle();
    assert.equal(b.status('job').phase, 'Succeeded');
    assert.equal(b.container('job', 'side').state.terminated?.reason, 'Completed');
  });

  test('an exit is acknowledged only once it is durable', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    const sandbox = b.sandbox();
    b.writeFailure = new Error('disk full');
    sandbox.exit('web', 1);
    await settle();
    assert.equal(sandbox.acked, 0);
    b.writeFailure = undefined;
    await b.time.advance(30_000);
    assert.equal(sandbox.acked, 1);
  });

  test('a container killed for its memory is OOMKilled', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', { restartPolicy: 'Never' })));
    b.sandbox().exit('web', 137, 9, true);
    await settle();
    assert.equal(b.container('site').state.terminated?.reason, 'OOMKilled');
    assert.equal(b.status('site').phase, 'Failed');
  });
});

describe('loss of the sandbox', () => {
  test('Always: everything runs again in a new sandbox, ends nobody saw are 137', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', two)));
    b.sandbox().lose('the infra process was killed');
    await settle();
    assert.deepEqual(
      b.runtime.created.map(({ attempt }) => attempt),
      [0, 1],
    );
    const { restartCount, lastState, state } = b.container('site');
    assert.ok(state.running);
    assert.equal(restartCount, 1);
    assert.equal(lastState.terminated?.exitCode, 137);
    assert.equal(lastState.terminated?.reason, 'ContainerStatusUnknown');
    assert.match(lastState.terminated?.message ?? '', /the infra process was killed$/);
    assert.ok(b.volumes.has('uid-1'), 'emptyDirs stay with the pod');
  });

  test('OnFailure: what had succeeded does not run again', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { ...two, restartPolicy: 'OnFailure' })));
    b.sandbox().exit('web', 0);
    await settle();
    b.sandbox().lose();
    await settle();
    assert.deepEqual(b.runtime.started, ['uid-1/web/0', 'uid-1/side/0', 'uid-1/side/1']);
  });

  test('Never: no second sandbox, also not for a container that had not come to run', async () => {
    const b = await bench();
    b.imageFailures.set('gone', { code: 'ErrImagePull', message: 'x' });
    const containers = [container('web'), container('side', { image: 'gone' })];
    await b.apply(desired(pod('job', { containers, restartPolicy: 'Never' })));
    b.sandbox().lose();
    await settle();
    assert.equal(b.status('job').phase, 'Failed');
    assert.equal(b.container('job', 'side').state.terminated?.reason, 'ContainerStatusUnknown');
    assert.equal(b.runtime.created.length, 1);
  });

  test('during a start: the attempt counts as used', async () => {
    const b = await bench();
    let release = () => {};
    b.runtime.pause = (operation) =>
      operation === 'start' ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    b.sandbox().lose();
    await settle();
    release();
    await settle();
    assert.equal(b.status('job').phase, 'Failed');
    assert.equal(b.container('job').state.terminated?.reason, 'ContainerStatusUnknown');
    assert.equal(b.runtime.created.length, 1);
  });
});
