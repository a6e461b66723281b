/** What a starting agent makes of what it finds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { observe } from '../../../src/pods/adoption/adoption.ts';
import { newRecord } from '../../../src/pods/changes/change.ts';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone, two } from './fixtures.ts';

describe('agent killed and started again', () => {
  test('the same containers go on under the same uid', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', two)));
    const before = b.manager.describe('default', 'site');
    b.crash();
    await b.boot();
    const after = b.manager.describe('default', 'site');
    assert.equal(after?.uid, 'uid-1');
    assert.deepEqual(after?.containers, before?.containers);
    assert.equal(b.runtime.started.length, 2);
    assert.equal(after?.pod.status.podIP, '10.88.0.2');
  });

  test('what comes in before it is known what runs waits and begins nothing twice', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.crash();
    b.published.length = 0;
    const errors = [{ path: 'spec', reason: 'bad' }];
    await b.boot((manager) => {
      manager.changed('default', 'site');
      manager.rejected('default', 'site', errors);
      manager.rejected('default', 'other', errors);
    });
    assert.deepEqual([...b.runtime.sandboxes.keys()], ['uid-1']);
    assert.deepEqual(
      b.published.map(({ metadata, status }) => `${metadata.name} ${status.phase} ${status.errors?.length}`).sort(),
      ['other Failed 1', 'site Running 1'],
    );
  });

  test('what ended meanwhile is reported with its code and time, acknowledged, and restarted', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', two)));
    const sandbox = b.sandbox();
    b.crash();
    sandbox.exit('web', 3);
    await b.time.advance(90_000);
    await b.boot();
    const { lastState, restartCount } = b.container('site');
    assert.equal(lastState.terminated?.exitCode, 3);
    assert.equal(lastState.terminated?.finishedAt, '2026-01-01T00:00:00.000Z');
    assert.equal(restartCount, 1);
    assert.equal(sandbox.acked, 1);
  });

  test('a warning was told when what came of it is on the disk', async () => {
    const b = await bench();
    b.prober.answer = async () => ({ ok: false, message: 'exit 1' });
    const lifecycle = { postStart: { exec: { command: ['begin'] } } };
    await b.apply(desired(pod('site', { restartPolicy: 'Never', containers: [container('web', { lifecycle })] })));
    b.sandbox().exit('web', 143);
    await settle();
    b.crash();
    assert.ok(b.reasons().includes('FailedPostStartHook'));
  });

  test('a back-off goes on where it was', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    for (let n = 0; n < 3; n++) {
      b.sandbox().exit('web', 1);
      await b.time.advance(n === 2 ? 5_000 : 10_000);
    }
    assert.equal(b.runtime.started.length, 3);
    b.crash();
    await b.boot();
    assert.equal(b.container('site').state.waiting?.reason, 'CrashLoopBackOff');
    await b.time.advance(14_999);
    assert.equal(b.runtime.started.length, 3);
    await b.time.advance(1);
    assert.equal(b.runtime.started.length, 4);
  });

  test('a deletion under way is carried on', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    await b.apply(tombstone('site'));
    b.crash();
    await b.boot();
    b.sandbox().exit('web', 0);
    await settle();
    assert.deepEqual(b.tombstonesDone, ['site']);
    assert.equal(b.disk.size, 0);
  });

  test('a tombstone that came while the agent was away is carried out', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.crash();
    b.wanted.set('site', tombstone('site'));
    await b.boot();
    assert.equal(b.sandbox().stops.length, 1);
  });

  test('killed between building the sandbox and starting in it: the start is carried out, once', async () => {
    const b = await bench();
    let crashed = false;
    b.runtime.pause = async (operation) => {
      if (operation !== 'create' || crashed) return;
      crashed = true;
      b.crash();
    };
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    assert.deepEqual(b.runtime.started, []);
    await b.boot();
    assert.deepEqual(b.runtime.started, ['uid-1/web/0']);
  });

  test('killed while the sandbox is being built, and nothing of it stays: a run-once pod still runs, once', async () => {
    const b = await bench();
    b.runtime.pause = () => new Promise(() => {});
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    b.crash();
    b.runtime.pause = async () => {};
    await b.boot();
    assert.equal(b.status('job').phase, 'Running');
    assert.deepEqual(b.runtime.started, ['uid-1/web/0']);
  });

  test('a sandbox lost meanwhile is rebuilt; exits it left behind are used', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { ...two, restartPolicy: 'OnFailure' })));
    const sandbox = b.sandbox();
    b.crash();
    sandbox.exit('web', 0);
    b.runtime.lost = [{ uid: 'uid-1', spec: sandbox.spec, exits: sandbox.containers().filter(({ exit }) => exit) }];
    b.runtime.sandboxes.clear();
    await b.boot();
    assert.equal(b.container('job').state.terminated?.exitCode, 0);
    assert.equal(b.container('job', 'side').lastState.terminated?.exitCode, 137);
    assert.deepEqual(b.runtime.started.slice(2), ['uid-1/side/1']);
  });

  test('a container the living sandbox does not know any more ended with 137', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    await b.time.advance(2_000);
    b.crash();
    b.sandbox().records.clear();
    await b.boot();
    assert.equal(b.container('job').state.terminated?.exitCode, 137);
    assert.equal(b.status('job').phase, 'Failed');
  });
});

describe('database lost', () => {
  test('a healthy pod is adopted from its sandbox, not restarted', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', two), { generation: 4 }));
    b.loseDatabase();
    await b.boot();
    assert.equal(b.runtime.started.length, 2);
    const { phase, observedGeneration, podIP } = b.status('site');
    assert.deepEqual([phase, observedGeneration, podIP], ['Running', 4, '10.88.0.2']);
    assert.equal(b.container('site').imageID, 'sha256:debian');
    await b.time.advance(2_000);
    assert.deepEqual([...b.disk.keys()], ['uid-1']);
    assert.deepEqual([...b.leases], [['uid-1', '10.88.0.2']], 'its address is not given to another');
    assert.ok(!b.reasons().includes('OrphanedPod'));
  });

  test('nothing known of what is desired: kept running and kept up, told of, and followed when known again', async () => {
    const b = await bench();
    const object = desired(pod('site'));
    await b.apply(object);
    b.loseDatabase();
    b.wanted.clear();
    await b.boot();
    await b.time.advance(1_000);
    assert.ok(b.reasons().includes('OrphanedPod'));
    b.sandbox().exit('web', 1);
    await settle();
    assert.equal(b.runtime.started.length, 2);
    await b.apply(object);
    assert.equal(b.sandbox().stops.length, 0);
    await b.apply(tombstone('site'));
    assert.equal(b.sandbox().stops[0]?.signal, 'SIGQUIT');
  });

  test('a sandbox that is not ours is left alone and warned of', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.loseDatabase();
    b.wanted.clear();
    b.sandbox().spec.labels = {};
    await b.boot();
    assert.equal(b.runtime.sandboxes.size, 1);
    assert.deepEqual(b.manager.list(), []);
    assert.match(b.log[0] ?? '', /left alone/);
  });

  test('a record of an older life beside a sandbox of the newer one: the one that runs and is desired stays', async () => {
    const b = await bench();
    const object = desired(pod('site'));
    await b.apply(object);
    b.loseDatabase();
    const old = newRecord(object, { uid: 'old', bootId: 'boot-1', now: b.time.now(), mono: 0 });
    b.disk.set('old', JSON.stringify(old));
    await b.boot();
    assert.equal(b.sandbox().uid, 'uid-1');
    assert.equal(b.sandbox().stops.length, 0);
    await b.time.advance(2_000);
    assert.deepEqual([...b.disk.keys()], ['uid-1']);
    assert.equal(b.manager.list().length, 1);
  });
});

describe('power cut', () => {
  test('Always: runs again in a new sandbox at once, restartCount grows, no back-off is charged', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    for (let n = 0; n < 3; n++) {
      b.powerCut();
      await b.boot();
      assert.equal(b.status('site').phase, 'Running');
    }
    const { restartCount, lastState } = b.container('site');
    assert.equal(restartCount, 3);
    assert.equal(lastState.terminated?.reason, 'ContainerStatusUnknown');
    assert.match(lastState.terminated?.message ?? '', /the node was restarted while it ran$/);
    b.sandbox().exit('web', 1);
    await settle();
    assert.equal(b.runtime.started.length, 5, 'the first crash of its own is restarted at once');
  });

  test('Never: failed, even when the cut came before the start was confirmed on disk', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    b.powerCut();
    await b.boot();
    assert.equal(b.status('job').phase, 'Failed');
    assert.equal(b.container('job').state.terminated?.exitCode, 137);
    assert.deepEqual(b.runtime.started, ['uid-1/web/0']);
  });

  test('a crash loop starts at once after the boot and then goes on with the delay it had', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    for (const delay of [0, 10_000, 20_000, 40_000, 5_000]) {
      b.sandbox().exit('web', 1);
      await b.time.advance(delay);
    }
    assert.equal(b.runtime.started.length, 5);
    b.powerCut();
    await b.boot();
    assert.equal(b.runtime.started.length, 6);
    b.sandbox().exit('web', 1);
    await b.time.advance(159_999);
    assert.equal(b.runtime.started.length, 6);
    await b.time.advance(1);
    assert.equal(b.runtime.started.length, 7);
  });
});

describe('observe', () => {
  const now = { wall: '2026-01-01T01:00:00.000Z', mono: 9_000_000, bootId: 'boot-1' };
  const record = newRecord(desired(pod('site', two)), { uid: 'u', bootId: 'boot-1', now: new Date(now.wall), mono: 0 });
  const running = { name: 'web', attempt: 4, pid: 7, startedAt: '2026-01-01T00:00:00.000Z', labels: {} };
  const exit = { exitCode: 1, signal: 0, oomKilled: false, startedAt: running.startedAt, finishedAt: now.wall };

  const cases = [
    { name: 'a newer attempt than remembered is taken over', containers: [running], launched: 4, ended: undefined },
    {
      name: 'an end counts from when it was',
      containers: [{ ...running, exit: { ...exit, finishedAt: '2026-01-01T00:59:00.000Z' } }],
      launched: 4,
      ended: 8_940_000,
    },
    {
      name: 'an end in the future is now',
      containers: [{ ...running, exit: { ...exit, finishedAt: '2040-01-01T00:00:00.000Z' } }],
      launched: 4,
      ended: 9_000_000,
    },
    {
      name: 'an end before the clock was set is an hour ago at most',
      containers: [{ ...running, exit: { ...exit, finishedAt: '1970-01-01T00:00:10.000Z' } }],
      launched: 4,
      ended: 5_400_000,
    },
    {
      name: 'of two attempts the newer counts',
      containers: [running, { ...running, attempt: 3, exit }],
      launched: 4,
      ended: undefined,
    },
    {
      name: 'a container that is not in the spec is ignored',
      containers: [{ ...running, name: 'constructor' }],
      launched: -1,
      ended: undefined,
    },
  ];
  for (const { name, containers, launched, ended } of cases) {
    test(name, () => {
      const { containers: histories } = observe(record, { uid: 'u', alive: true, containers }, now);
      assert.equal(histories.web?.launched, launched);
      assert.equal(histories.web?.ended?.finishedMono, ended);
      assert.deepEqual(Object.keys(histories), ['web', 'side']);
    });
  }
});
