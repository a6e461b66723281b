/** Volumes of real pods that are not made of objects: limits on the disk, images, subPaths under attack. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { buildTinyImage } from '../../images/tiny.ts';
import { Board } from './board.ts';
import { because, phase, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

const log = async (pod: string) => (await board.edgepod(['logs', pod])).stdout;

test('an emptyDir beyond its sizeLimit: the pod is evicted, in the kubelet’s words, and its files are gone', async () => {
  const volumes = [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }];
  const sh = `dd if=/dev/zero of=/v/big bs=1M count=3 2>/dev/null; ${SLEEP}`;
  await board.desire('fills', shellPod('fills', [{ sh, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], { volumes }));
  const pod = await board.pod('fills', phase('Failed'), 40_000);
  assert.equal(pod.status?.reason, 'Evicted');
  assert.equal(pod.status?.message, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ');
  assert.ok(state(pod).terminated);
  await board.undesire('fills');
});

test('a container beyond its ephemeral-storage limit is evicted for its writable layer', async () => {
  const resources = { limits: { 'ephemeral-storage': '1Mi' } };
  const sh = `dd if=/dev/zero of=/var/big bs=1M count=3 2>/dev/null; ${SLEEP}`;
  await board.desire('writes', shellPod('writes', [{ sh, resources }]));
  const pod = await board.pod('writes', phase('Failed'), 40_000);
  assert.equal(pod.status?.reason, 'Evicted');
  await board.undesire('writes');
});

test('an image as a volume: one layer and several, read-only, with subPath', async () => {
  const file = (text: string) => ({ files: { 'data/x': text } });
  const dir = join(tmpdir(), 'edgepod-image-volumes');
  await board.load(await buildTinyImage(dir, { name: 'one', ...file('one\n') }));
  await board.load(await buildTinyImage(dir, { name: 'two', ...file('old\n'), layers: [file('new\n')] }));
  const volumes = ['one', 'two'].map((name) => ({ name, image: { reference: name } }));
  const volumeMounts = [
    { name: 'one', mountPath: '/one' },
    { name: 'two', mountPath: '/two' },
    { name: 'two', mountPath: '/sub', subPath: 'data' },
  ];
  const sh = 'cat /one/data/x /two/data/x /sub/x; touch /one/y /two/y 2>&1';
  await board.desire('images', shellPod('images', [{ sh, volumeMounts }], { restartPolicy: 'Never', volumes }));
  await board.pod('images', (p) => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed');
  const text = await log('images');
  assert.match(text, /^one\nnew\nnew\n/);
  assert.equal(text.match(/Read-only file system/g)?.length, 2, text);
  await board.undesire('images');
});

test('a volume whose image is not there: who mounts it waits for it by the kubelet’s reasons, and starts when it comes', async () => {
  const mount = [{ name: 'v', mountPath: '/v' }];
  const containers = [{ sh: `cat /v/data/x; ${SLEEP}`, volumeMounts: mount }, { sh: SLEEP }];
  const volumes = [{ name: 'v', image: { reference: 'late' } }];
  await board.desire('waits', shellPod('waits', containers, { volumes }));
  const first = await board.pod('waits', because('ErrImagePull'));
  assert.match(state(first).waiting?.message ?? '', /^volume "v": .*late/);
  assert.equal(state(first, 'c1').waiting?.reason, 'ContainerCreating');
  const later = await board.pod('waits', because('ImagePullBackOff'), 60_000);
  assert.match(state(later).waiting?.message ?? '', /^Back-off pulling image "late": volume "v": /);

  const never = [{ name: 'v', image: { reference: 'late', pullPolicy: 'Never' } }];
  await board.desire('never', shellPod('never', containers, { volumes: never }));
  await board.pod('never', because('ErrImageNeverPull'));

  const dir = join(tmpdir(), 'edgepod-image-volumes');
  await board.load(await buildTinyImage(dir, { name: 'late', files: { 'data/x': 'here\n' } }));
  for (const name of ['waits', 'never']) await board.pod(name, running);
  assert.match((await board.edgepod(['logs', 'waits', '-c', 'c0'])).stdout, /^here$/m);
  for (const name of ['waits', 'never']) await board.undesire(name);
});

test('CVE-2021-25741: a subPath exchanged for a link all the time never shows the node', async () => {
  const volumes = [{ name: 'v', emptyDir: {} }];
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const attack =
    'mkdir -p /v/d; ln -s /etc /v/l; while :; do mv -T /v/d /v/t; mv -T /v/l /v/d; mv -T /v/d /v/l; mv -T /v/t /v/d; done';
  const look = 'test -e /s/passwd && echo ESCAPED; exit 1';
  const spec = { volumes, restartPolicy: 'Always' };
  const pod = shellPod(
    'races',
    [
      { sh: attack, volumeMounts },
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({
        name,
        sh: look,
        volumeMounts: [{ name: 'v', mountPath: '/s', subPath: 'd' }],
      })),
    ],
    spec,
  );
  for (let round = 0; round < 4; round++) {
    await board.desire('races', pod);
    await board.pod(
      'races',
      (p) =>
        (p.status?.containerStatuses ?? [])
          .slice(1)
          .every((c) => c.restartCount > 0 || c.state.waiting?.reason === 'CreateContainerConfigError'),
      40_000,
    );
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const { stdout } = await board.edgepod(['logs', 'races', '-c', name]);
      assert.equal(stdout.includes('ESCAPED'), false, name);
    }
    await board.undesire('races');
  }
});
