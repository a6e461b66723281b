/** The worker's order of things and its handling of faults, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RuntimeError } from '../../../src/runtime/errors.ts';
import { Bench, bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';

const two = { containers: [container('web'), container('side')] };

describe('starting', () => {
  test('a pod of two containers runs after one durable write, and nothing is published on the way', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', two), { generation: 3 }));
    assert.deepEqual(b.runtime.started, ['uid-1/web/0', 'uid-1/side/0']);
    assert.equal(b.writes, 1);
    assert.equal(b.published.length, 1);
    const [published] = b.published;
    assert.equal(published?.metadata.uid, 'uid-1');
    assert.equal(published?.status.phase, 'Running');
    assert.equal(published?.status.observedGeneration, 3);
    assert.equal(published?.status.podIP, '10.88.0.2');
    await b.time.advance(60_000);
    assert.equal(b.writes, 2, 'the rest is written once, later');
    assert.equal(b.published.length, 1);
    assert.deepEqual(b.reasons(), ['MissingClusterDNS', 'Created', 'Started', 'Created', 'Started']);
  });

  test('a container whose image is missing does not hold up the other', async () => {
    const b = await bench();
    b.imageFailures.set('gone', { code: 'ErrImagePull', message: 'image "gone" is not here' });
    await b.apply(desired(pod('site', { containers: [container('web'), container('side', { image: 'gone' })] })));
    assert.deepEqual(b.runtime.started, ['uid-1/web/0']);
    assert.equal(b.status('site').phase, 'Pending');
    assert.deepEqual(b.container('site', 'side').state.waiting, {
      reason: 'ErrImagePull',
      message: 'image "gone" is not here',
    });
    await b.time.advance(10_000);
    assert.equal(b.container('site', 'side').state.waiting?.reason, 'ImagePullBackOff');
    b.imageFailures.clear();
    await b.time.advance(20_000);
    assert.equal(b.status('site').phase, 'Running');
  });

  test('no sandbox is built for a pod that only waits for its image; a loaded image is used at once', async () => {
    const b = await bench();
    b.imageFailures.set('debian', { code: 'ErrImageNeverPull', message: 'not present' });
    await b.apply(desired(pod('site')));
    assert.equal(b.runtime.created.length, 0);
    assert.equal(b.container('site').state.waiting?.reason, 'ErrImageNeverPull');
    b.imageFailures.clear();
    b.manager.imagesChanged();
    await settle();
    assert.equal(b.status('site').phase, 'Running');
  });

  for (const meanwhile of ['nothing', 'its ConfigMap', 'the sandbox fails once'] as const) {
    test(`a container's configuration is made while the sandbox is being built; what changes meanwhile: ${meanwhile}`, async () => {
      const b = await bench();
      const settings = (mode: string) =>
        b.configMaps.set('settings', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'settings', namespace: 'default' },
          data: { MODE: mode },
          binaryData: {},
          immutable: false,
        });
      let release = () => {};
      b.runtime.pause = () => new Promise<void>((resolve) => (release = resolve));
      settings('old');
      const envFrom = [{ prefix: '', configMapRef: { name: 'settings', optional: false } }];
      await b.apply(desired(pod('site', { containers: [container('web', { envFrom })] })));
      const modes = () => b.configured.map((variables) => variables.get('MODE'));
      assert.deepEqual([modes(), b.runtime.sandboxes.size], [['old'], 0]);
      if (meanwhile === 'its ConfigMap') {
        settings('new');
        b.manager.objectChanged('configmaps', 'default', 'settings');
      }
      if (meanwhile === 'the sandbox fails once')
        b.runtime.createFailures.push(new RuntimeError({ step: 'network-attach', code: 'ENOSPC', detail: 'veth' }));
      b.runtime.pause = async () => {};
      release();
      await settle();
      await b.time.advance(60_000);
      assert.deepEqual(b.runtime.started, ['uid-1/web/0']);
      const expected = { nothing: ['old'], 'its ConfigMap': ['old', 'new'], 'the sandbox fails once': ['old', 'old'] };
      assert.deepEqual(modes(), expected[meanwhile]);
    });
  }

  test('a failed sandbox leaves nothing, is shown, and is tried again after 10 s, then 20 s', async () => {
    const b = await bench();
    const failure = () => new RuntimeError({ step: 'network-attach', code: 'ENOSPC', detail: 'veth' });
    b.runtime.createFailures.push(failure(), failure());
    await b.apply(desired(pod('site', { restartPolicy: 'Never' })));
    assert.equal(b.runtime.sandboxes.size, 0);
    const { state } = b.container('site');
    assert.match(state.waiting?.message ?? '', /^FailedCreatePodSandBox: default\/site: network-attach ENOSPC veth: /);
    const condition = b.status('site').conditions.find(({ type }) => type === 'PodReadyToStartContainers');
    assert.equal(condition?.reason, 'FailedCreatePodSandBox');
    await b.time.advance(9_999);
    assert.equal(b.runtime.created.length, 1);
    await b.time.advance(1);
    assert.equal(b.runtime.created.length, 2);
    await b.time.advance(20_000);
    assert.equal(b.status('site').phase, 'Running');
    assert.equal(b.container('site').restartCount, 0);
    assert.deepEqual(
      b.runtime.created.map(({ attempt }) => attempt),
      [0, 0, 0],
    );
  });

  test('a volume that cannot be had is a FailedMount with its reason, and no sandbox is built', async () => {
    const b = await bench();
    b.volumeFailure = new Error('volume "data": /data: hostPath type "": it does not exist');
    await b.apply(desired(pod('site')));
    assert.match(
      b.container('site').state.waiting?.message ?? '',
      /^FailedMount: default\/site: volume "data": \/data/,
    );
    assert.equal(b.runtime.created.length, 0);
    b.volumeFailure = undefined;
    await b.time.advance(10_000);
    assert.equal(b.status('site').phase, 'Running');
  });

  test('a configuration that cannot be made uses up no attempt', async () => {
    const b = await bench();
    b.ociFailure = new Error('no command given and the image has none');
    await b.apply(desired(pod('site', { restartPolicy: 'Never' })));
    assert.deepEqual(b.container('site').state.waiting, {
      reason: 'CreateContainerConfigError',
      message: 'default/site/web: no command given and the image has none',
    });
    b.ociFailure = undefined;
    await b.time.advance(10_000);
    assert.deepEqual(b.runtime.started, ['uid-1/web/0']);
  });

  test('a record that cannot be written starts nothing', async () => {
    const b = await bench();
    b.writeFailure = new Error('disk full');
    await b.apply(desired(pod('site', { restartPolicy: 'Never' })));
    assert.equal(b.runtime.created.length, 0);
    b.writeFailure = undefined;
    await b.time.advance(10_000);
    assert.equal(b.status('site').phase, 'Running');
  });
});

describe('a start the runner refuses', () => {
  const missing = new RuntimeError({ step: 'exec', code: 'ENOENT', detail: '/run' });

  test('with Never: the pod failed with StartError, the command and the image named', async () => {
    const b = await bench();
    b.runtime.startFailures.set('web', missing);
    await b.apply(desired(pod('site', { restartPolicy: 'Never' })));
    const { terminated } = b.container('site').state;
    assert.equal(terminated?.exitCode, 128);
    assert.equal(terminated?.reason, 'StartError');
    assert.equal(
      terminated?.message,
      'default/site/web: exec ENOENT /run: command "/run" not found in image debian (it or its interpreter); ' +
        'check spec.containers[].command',
    );
    assert.equal(b.status('site').phase, 'Failed');
    assert.equal(b.runtime.sandboxes.size, 0);
    assert.equal(b.volumes.size, 0);
  });

  test('with Always: retried at once, then RunContainerError, then CrashLoopBackOff with the cause in lastState', async () => {
    const b = await bench();
    b.runtime.startFailures.set('web', missing);
    await b.apply(desired(pod('site', two)));
    assert.equal(b.container('site').state.waiting?.reason, 'RunContainerError');
    assert.equal(b.container('site', 'side').ready, true);
    await b.time.advance(10_000);
    const { state, lastState, restartCount } = b.container('site');
    assert.deepEqual(state.waiting, {
      reason: 'CrashLoopBackOff',
      message: 'back-off 20s restarting failed container=web pod=site_default(uid-1)',
    });
    assert.equal(lastState.terminated?.reason, 'StartError');
    assert.equal(restartCount, 2);
  });
});

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

describe('the end', () => {
  test('a finished pod gives back all but its record and its address in the status', async () => {
    const b = await bench();
    await b.apply(desired(pod('job', { restartPolicy: 'Never' })));
    b.sandbox().exit('web', 0);
    await settle();
    assert.deepEqual([b.runtime.sandboxes.size, b.volumes.size, b.leases.size, b.disk.size], [0, 0, 0, 1]);
    const { phase, podIP, conditions } = b.status('job');
    assert.equal(phase, 'Succeeded');
    assert.equal(podIP, '10.88.0.2');
    assert.equal(conditions.find(({ type }) => type === 'Ready')?.reason, 'PodCompleted');
    b.crash();
    await b.boot();
    assert.equal(b.status('job').phase, 'Succeeded');
    assert.equal(b.runtime.started.length, 1);
  });

  test('delete: stop signal of the image, grace of the spec, then nothing is left and the topics are cleared', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', { ...two, terminationGracePeriodSeconds: 7 })));
    const sandbox = b.sandbox();
    await b.apply(tombstone('site'));
    assert.deepEqual(sandbox.stops, [
      { container: 'web', signal: 'SIGQUIT', graceMs: 7_000 },
      { container: 'side', signal: 'SIGQUIT', graceMs: 7_000 },
    ]);
    assert.equal(b.container('site').ready, true);
    const { metadata } = b.published.at(-1) ?? assert.fail();
    assert.equal(Date.parse(metadata.deletionTimestamp ?? ''), b.time.now().getTime() + 7_000, 'when it will be over');
    sandbox.exit('web', 0);
    await settle();
    assert.equal(b.runtime.sandboxes.size, 1);
    sandbox.exit('side', 0);
    await settle();
    assert.deepEqual([b.runtime.sandboxes.size, b.volumes.size, b.leases.size, b.disk.size], [0, 0, 0, 0]);
    assert.deepEqual([b.cleared, b.tombstonesDone], [['site'], ['site']]);
    assert.deepEqual(b.manager.list(), []);
  });

  test('a later tombstone shortens the grace and none lengthens it; 2 s is the least', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    for (const grace of [20, 25, 0]) await b.apply(tombstone('site', grace));
    assert.deepEqual(
      b.sandbox().stops.map(({ graceMs }) => graceMs),
      [20_000, 2_000],
    );
    const { metadata } = b.published.at(-1) ?? assert.fail();
    assert.equal(Date.parse(metadata.deletionTimestamp ?? ''), b.time.now().getTime() + 1_000);
  });

  test('a container that does not end is taken down with its sandbox', async () => {
    const b = await bench();
    await b.apply(desired(pod('site', { terminationGracePeriodSeconds: 3 })));
    await b.apply(tombstone('site'));
    await b.time.advance(7_999);
    assert.equal(b.runtime.sandboxes.size, 1);
    await b.time.advance(1);
    assert.equal(b.runtime.sandboxes.size, 0);
    assert.equal(b.disk.size, 0);
  });

  test('a sandbox that cannot be destroyed is tried again; nothing is forgotten meanwhile', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.runtime.destroyFailures.push(new RuntimeError({ step: 'cgroup-remove', code: 'EBUSY' }));
    await b.apply(tombstone('site'));
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.disk.size, 1);
    assert.equal(b.tombstonesDone.length, 0);
    await b.time.advance(10_000);
    assert.equal(b.disk.size, 0);
    assert.ok(b.reasons().includes('FailedKillPod'));
  });

  for (const refused of ['status', 'tombstone'] as const)
    test(`a pod deleted while the disk is full is taken back from the broker when there is room: ${refused}`, async () => {
      const b = await bench();
      await b.apply(desired(pod('site')));
      b.clearFailure = { of: refused, error: new Error('disk full') };
      if (refused === 'tombstone') await b.apply(tombstone('site'));
      else {
        b.wanted.delete('site');
        b.manager.changed('default', 'site');
        b.manager.remove('default', 'site');
      }
      await b.time.advance(60_000);
      assert.equal(b.runtime.sandboxes.size, 0);
      assert.deepEqual(refused === 'tombstone' ? b.tombstonesDone : b.cleared, []);
      b.clearFailure = undefined;
      b.cleared.length = 0;
      await b.time.advance(10_000);
      assert.deepEqual([b.cleared, b.tombstonesDone], [['site'], refused === 'tombstone' ? ['site'] : []]);
    });

  test('a tombstone for a pod that never was is answered at once', async () => {
    const b = await bench();
    await b.apply(tombstone('ghost'));
    assert.deepEqual(b.tombstonesDone, ['ghost']);
    assert.deepEqual(b.manager.list(), []);
  });
});

describe('delete during a start', () => {
  test('while the image is awaited: at once', async () => {
    const b = await bench();
    b.imageGate = new Promise(() => {});
    await b.apply(desired(pod('site')));
    await b.apply(tombstone('site'));
    assert.deepEqual(b.tombstonesDone, ['site']);
    assert.equal(b.disk.size, 0);
  });

  test('while a back-off runs: at once', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    b.sandbox().exit('web', 1);
    await settle();
    b.sandbox().exit('web', 1);
    await settle();
    await b.apply(tombstone('site'));
    assert.deepEqual(b.tombstonesDone, ['site']);
    assert.equal(b.runtime.sandboxes.size, 0);
  });

  for (const held of ['create', 'start'] as const) {
    test(`while the runner is busy with ${held}: as soon as it answers, and nothing more is started`, async () => {
      const b = await bench();
      let release = () => {};
      b.runtime.pause = (operation) =>
        operation === held ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
      await b.apply(desired(pod('site')));
      await b.apply(tombstone('site'));
      assert.equal(b.disk.size, 1);
      release();
      await settle();
      if (held === 'start') b.sandbox().exit('web', 0);
      await settle();
      assert.equal(b.disk.size, 0);
      assert.equal(b.runtime.sandboxes.size, 0);
      assert.equal(b.runtime.started.length, held === 'start' ? 1 : 0);
    });
  }
});

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

describe('admission', () => {
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

describe('stopping and draining', () => {
  test('stop leaves pods running and writes what was learnt', async () => {
    const b = await bench();
    await b.apply(desired(pod('site')));
    await b.manager.stop();
    assert.equal(b.sandbox().stops.length, 0);
    assert.equal(b.writes, 2);
    assert.equal(b.reasons().length, 3);
  });

  test('drain ends everything at once if told so and leaves what is desired alone', async () => {
    const b = await bench();
    await b.apply(desired(pod('a')));
    await b.apply(desired(pod('b', { restartPolicy: 'Never' })));
    await b.manager.drain(0);
    assert.deepEqual([b.runtime.sandboxes.size, b.disk.size, b.leases.size, b.volumes.size], [0, 0, 0, 0]);
    assert.deepEqual([b.wanted.size, b.cleared.length], [2, 0]);
  });

  test('remove ends a pod that has no tombstone; it comes back if it is still desired', async () => {
    const b = new Bench();
    await b.boot();
    await b.apply(desired(pod('a')));
    b.manager.remove('default', 'a');
    await settle();
    b.sandbox().exit('web', 0);
    await settle();
    assert.equal(b.sandbox().uid, 'uid-2');
  });
});
