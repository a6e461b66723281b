import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { buildTinyImage } from '../../images/tiny.ts';
import { Board } from './board.ts';
import { because, phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
let witness: { uid: string; startedAt: string };
const images = mkdtempSync('/var/tmp/edgepod-bad-');

before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
  await board.desire('witness', shellPod('witness', [{ sh: SLEEP }]));
  const pod = await board.pod('witness', running);
  witness = { uid: pod.metadata.uid!, startedAt: state(pod).running!.startedAt };
});

after(async () => {
  const pod = board.status('witness')!;
  assert.equal(pod.metadata.uid, witness.uid);
  assert.equal(state(pod).running?.startedAt, witness.startedAt, 'the other pod was not touched by anything');
  assert.equal(restarts(pod), 0);
  assert.equal(board.agent?.exitCode, null, 'the agent stayed up');
  rmSync(images, { recursive: true });
  assert.deepEqual(await board.close(), []);
});

/** Publishes `manifest` under `name` and returns the errors reported for it. */
async function rejected(name: string, manifest: object | string | Uint8Array): Promise<string> {
  await board.desire(name, manifest);
  const pod = await board.pod(name, (p) => (p.status?.errors?.length ?? 0) > 0);
  await board.desire(name, '');
  await board.until('the status to be cleared', () => board.status(name) === undefined);
  return pod.status!.errors!.map(({ path, reason }) => `${path}: ${reason}`).join('\n');
}

test('manifests that are refused, each with path and reason', async () => {
  const valid = shellPod('x', [{ sh: 'true' }]);
  assert.match(await rejected('text', 'hello: [world'), /line|syntax|YAML/i);
  assert.match(
    await rejected('kind', { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'kind' } }),
    /kind.*StatefulSet.*hostPath/s,
  );
  assert.match(
    await rejected('unknown', { ...valid, metadata: { name: 'unknown' }, spec: { ...valid.spec, contaners: [] } }),
    /spec\.contaners.*unknown field/,
  );
  assert.match(
    await rejected('noimage', { ...valid, metadata: { name: 'noimage' }, spec: { containers: [{ name: 'a' }] } }),
    /spec\.containers\[0\]\.image: Required/,
  );
  assert.match(await rejected('othername', { ...valid, metadata: { name: 'different' } }), /metadata\.name/);
  const undeclared = shellPod('undeclared', [{ sh: 'true', volumeMounts: [{ name: 'nope', mountPath: '/x' }] }]);
  assert.match(await rejected('undeclared', undeclared), /spec\.containers\[0\]\.volumeMounts\[0\]\.name.*nope/);
});

test('bytes that are no manifest: invalid UTF-8, a YAML bomb, deep nesting, 200 KB of padding', async () => {
  assert.match(await rejected('utf8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), /UTF-8/i);
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  assert.match(await rejected('bomb', bomb), /alias/i);
  assert.match(await rejected('deep', '['.repeat(5000) + ']'.repeat(5000)), /nest|deep|depth/i);
});

test('a 1 MB manifest does not disturb: the broker withholds it or it is refused', async () => {
  const padding = {
    ...shellPod('huge', [{ sh: 'true' }]),
    metadata: { name: 'huge', annotations: { pad: 'x'.repeat(1 << 20) } },
  };
  await board.desire('huge', padding);
  await board.desire('after-huge', shellPod('after-huge', [{ sh: 'true' }], { restartPolicy: 'Never' }));
  await board.pod('after-huge', phase('Succeeded'));
  await board.desire('huge', '');
  await board.undesire('after-huge');
});

test('a refused update keeps the pod that runs', async () => {
  await board.desire('keeps', shellPod('keeps', [{ sh: SLEEP }]));
  const first = await board.pod('keeps', running);
  await board.desire('keeps', { ...shellPod('keeps', [{ sh: SLEEP }]), spec: { containers: [] } });
  const pod = await board.pod('keeps', (p) => (p.status?.errors?.length ?? 0) > 0);
  assert.equal(pod.status?.phase, 'Running');
  assert.equal(pod.metadata.uid, first.metadata.uid);
  await board.undesire('keeps');
});

test('a missing image: ErrImagePull with what to do, then it starts once the image is there', async () => {
  await board.desire('missing', { ...shellPod('missing', [{ image: 'not-yet', command: ['/bin/sleeper'] }]) });
  const pod = await board.pod('missing', (p) => because('ErrImagePull')(p) || because('ImagePullBackOff')(p));
  assert.match(state(pod).waiting?.message ?? '', /edgepod image load/);
  assert.equal(pod.status?.phase, 'Pending');
  await board.load(await buildTinyImage(images, { name: 'not-yet', programs: ['sleeper'] }));
  await board.pod('missing', running);
  await board.undesire('missing');
});

test('imagePullPolicy Never without the image: ErrImageNeverPull', async () => {
  await board.desire('never', shellPod('never', [{ image: 'nowhere', imagePullPolicy: 'Never' }]));
  await board.pod('never', because('ErrImageNeverPull'));
  await board.undesire('never');
});

test('an image reference that is none: InvalidImageName', async () => {
  await board.desire('badref', shellPod('badref', [{ image: 'UPPER/case:!' }]));
  await board.until('an answer', () => {
    const pod = board.status('badref');
    return pod !== undefined && (because('InvalidImageName')(pod) || (pod.status?.errors?.length ?? 0) > 0);
  });
  await board.undesire('badref');
});

test('an image for another architecture is refused by name', async () => {
  const arch = process.arch === 'arm64' ? 'amd64' : 'arm64';
  const archive = await buildTinyImage(images, { name: 'foreign', arch, files: { 'bin/x': 'x' } });
  const { code, stderr } = await board.edgepod(['image', 'load', archive]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`linux/${arch}.*linux/`));
});

test('a command that does not exist: the step, the command and the container', async () => {
  await board.desire('nocmd', shellPod('nocmd', [{ command: ['/no/such/program'] }], { restartPolicy: 'Never' }));
  const pod = await board.pod('nocmd', phase('Failed'));
  assert.equal(state(pod).terminated?.reason, 'StartError');
  assert.equal(state(pod).terminated?.exitCode, 128);
  assert.match(state(pod).terminated?.message ?? '', /\/no\/such\/program/);
  await board.undesire('nocmd');
});

test('a hostPath that is not there, and one of the wrong type', async () => {
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  for (const [name, hostPath, said] of [
    ['nopath', { path: '/no/such/dir' }, /\/no\/such\/dir/],
    ['nodir', { path: '/no/such/dir', type: 'Directory' }, /\/no\/such\/dir/],
    ['notfile', { path: '/etc', type: 'File' }, /\/etc.*file/i],
  ] as const) {
    await board.desire(name, shellPod(name, [{ sh: 'true', volumeMounts }], { volumes: [{ name: 'v', hostPath }] }));
    const pod = await board.pod(name, (p) => said.test(JSON.stringify(p.status)));
    assert.equal(pod.status?.phase, 'Pending');
    await board.undesire(name);
  }
});

test('a host port in use by another pod is refused at admission', async () => {
  const ports = [{ containerPort: 18080, protocol: 'TCP' as const }];
  await board.desire('port-a', shellPod('port-a', [{ sh: SLEEP, ports }], { hostNetwork: true }));
  await board.pod('port-a', running);
  await board.desire('port-b', shellPod('port-b', [{ sh: SLEEP, ports }], { hostNetwork: true }));
  const pod = await board.pod('port-b', phase('Failed'));
  assert.match(`${pod.status?.reason} ${pod.status?.message}`, /18080/);
  await board.undesire('port-b');
  await board.undesire('port-a');
});

test('the same manifest twice, and an older generation, change nothing', async () => {
  const manifest = { ...shellPod('twice', [{ sh: SLEEP }]), metadata: { name: 'twice', generation: 5 } };
  await board.desire('twice', manifest);
  const first = await board.pod('twice', running);
  await board.desire('twice', manifest);
  await board.desire('twice', {
    ...shellPod('twice', [{ sh: `true; ${SLEEP}` }]),
    metadata: { name: 'twice', generation: 4 },
  });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const now = board.status('twice')!;
  assert.equal(now.metadata.uid, first.metadata.uid);
  assert.equal(now.status?.observedGeneration, 5);
  await board.desire('twice', manifest);
  await board.undesire('twice');
});
