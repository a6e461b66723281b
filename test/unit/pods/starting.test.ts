/** Starts of pods and containers, and their failures, over faked ports. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RuntimeError } from '../../../src/runtime/errors.ts';
import { bench } from './bench.ts';
import { settle } from './fake-time.ts';
import { container, desired, pod, two } from './fixtures.ts';

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
