/** Pods that are changed while they live: what follows the change at once, what begins anew, what stays. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../../src/manifest/types/pod.ts';
import { demoImage } from '../../../images/demo-images.ts';
import { Board } from '../board.ts';
import { because, running, SLEEP, shellPod } from '../pods.ts';
import { printed, statusOf } from './wave.ts';

const PATIENCE_MS = 60_000;
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

async function publish(kind: 'configmaps' | 'secrets', name: string, data?: Record<string, string>): Promise<void> {
  const object = { apiVersion: 'v1', kind: kind === 'secrets' ? 'Secret' : 'ConfigMap', metadata: { name } };
  const body = data && JSON.stringify({ ...object, [kind === 'secrets' ? 'stringData' : 'data']: data });
  await board.client.publishAsync(board.topic(`desired/${kind}/default/${name}`), body ?? '', { qos: 1, retain: true });
}

const says = (pod: Pod, text: RegExp) =>
  board.until(
    `${pod.metadata.name} to print ${text}`,
    () => text.test(printed(board, pod)),
    PATIENCE_MS,
    () => printed(board, pod),
  );
const kill = async () => {
  await board.stopAgent('SIGKILL');
  await board.startAgent();
};

for (const kind of ['configmaps', 'secrets'] as const)
  test(`optional ${kind}: one that is deleted goes, one that changes changes, one that comes is there`, async () => {
    const name = `optional-${kind}`;
    const source = (object: string) =>
      kind === 'secrets'
        ? { secret: { secretName: object, optional: true } }
        : { configMap: { name: object, optional: true } };
    await publish(kind, 'gone', { data: 'one' });
    await publish(kind, 'changed', { data: 'one' });
    const volumes = ['gone', 'changed', 'new'].map((object) => ({ name: object, ...source(object) }));
    const volumeMounts = volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` }));
    const sh =
      'while :; do for v in gone changed new; do printf "$v=$(cat /$v/data 2> /dev/null || echo none) "; done; echo; sleep 0.1; done';
    await board.desire(name, shellPod(name, [{ sh, volumeMounts }], { volumes }));
    const pod = await board.pod(name, running, PATIENCE_MS);
    await says(pod, /gone=one changed=one new=none/);
    await publish(kind, 'gone');
    await publish(kind, 'changed', { data: 'two' });
    await publish(kind, 'new', { data: 'three' });
    await says(pod, /gone=none changed=two new=three/);
    await kill();
    await publish(kind, 'new', { other: 'x' });
    await says(pod, /gone=none changed=two new=none/);
    assert.equal(statusOf(board.status(name)!).restartCount, 0);
    await board.undesire(name);
    for (const object of ['changed', 'new']) await publish(kind, object);
  });

test('a subPathExpr that comes to nothing waits until an annotation says what it is', async () => {
  const annotated = (annotations: object) => {
    const pod = shellPod(
      'expression',
      [
        {
          sh: `ls -d /whole/mypath/foo; ${SLEEP}`,
          env: [
            { name: 'POD', value: 'foo' },
            { name: 'NOTE', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['mysubpath']" } } },
          ],
          volumeMounts: [
            { name: 'v', mountPath: '/sub', subPathExpr: '$(NOTE)/$(POD)' },
            { name: 'v', mountPath: '/whole' },
          ],
        },
      ],
      { volumes: [{ name: 'v', emptyDir: {} }] },
    );
    return { ...pod, metadata: { ...pod.metadata, annotations } };
  };
  await board.desire('expression', annotated({ notmysubpath: 'mypath' }));
  await board.pod('expression', because('CreateContainerConfigError'), PATIENCE_MS);
  await board.desire('expression', annotated({ mysubpath: 'mypath' }));
  const pod = await board.pod('expression', running, PATIENCE_MS);
  await says(pod, /^\/whole\/mypath\/foo$/m);
  await kill();
  await board.desire('expression', annotated({ mysubpath: 'elsewhere' }));
  const after = await board.pod('expression', (p) => p.metadata.annotations?.mysubpath === 'elsewhere', PATIENCE_MS);
  assert.deepEqual([after.metadata.uid, statusOf(after).restartCount], [pod.metadata.uid, 0]);
  await board.undesire('expression');
});

test('labels, then spec: observedGeneration follows, the uid changes with the spec alone', async () => {
  const pod = (generation: number, labels: object, grace: number) => {
    const made = shellPod('generations', [{ sh: SLEEP }], { terminationGracePeriodSeconds: grace });
    return { ...made, metadata: { ...made.metadata, generation, labels } };
  };
  const observed = (generation: number) => (p: Pod) => running(p) && p.status?.observedGeneration === generation;
  await board.desire('generations', pod(1, { a: '1' }, 2));
  const first = await board.pod('generations', observed(1), PATIENCE_MS);
  await board.desire('generations', pod(2, { a: '2' }, 2));
  const second = await board.pod('generations', observed(2), PATIENCE_MS);
  assert.equal(second.metadata.uid, first.metadata.uid);
  assert.deepEqual(second.metadata.labels, { a: '2' });
  assert.ok(second.status?.conditions.every(({ observedGeneration }) => observedGeneration === 2));
  await kill();
  await board.desire('generations', pod(3, { a: '2' }, 1));
  const third = await board.pod('generations', observed(3), PATIENCE_MS);
  assert.notEqual(third.metadata.uid, first.metadata.uid);
  await board.undesire('generations');
});

test('the same, written otherwise: its generation is observed, nothing else happens', async () => {
  const pod = (generation: number, spec: object) => {
    const made = shellPod('rewritten', [{ sh: SLEEP }], spec);
    return { ...made, metadata: { ...made.metadata, generation } };
  };
  await board.desire('rewritten', pod(1, {}));
  const { metadata } = await board.pod('rewritten', running, PATIENCE_MS);
  await board.desire('rewritten', pod(2, { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' }));
  const after = await board.pod('rewritten', (p) => p.status?.observedGeneration === 2, PATIENCE_MS);
  assert.deepEqual([after.metadata.uid, statusOf(after).restartCount], [metadata.uid, 0]);
  await board.undesire('rewritten');
});

test('an agent that comes back takes nobody’s readiness', async () => {
  const readinessProbe = { exec: { command: ['true'] }, periodSeconds: 1 };
  await board.desire('kept-ready', shellPod('kept-ready', [{ sh: SLEEP, readinessProbe }, { sh: 'exit 1' }]));
  const crashes = (p: Pod) => statusOf(p).ready && statusOf(p, 'c1').restartCount > 0;
  await board.pod('kept-ready', crashes, PATIENCE_MS);
  await new Promise((resolve) => setTimeout(resolve, 3000)); // what is lazily saved is saved by then
  const seen = board.messages.length;
  await kill();
  await board.pod('kept-ready', (p) => because('CrashLoopBackOff', 'c1')(p) && statusOf(p).ready, PATIENCE_MS);
  const told = board.messages
    .slice(seen)
    .filter(({ topic, payload }) => topic.endsWith('/pods/default/kept-ready') && payload.length > 0);
  assert.ok(told.map(({ payload }) => JSON.parse(payload.toString()) as Pod).every((p) => statusOf(p).ready));
  await board.undesire('kept-ready');
});

test('a pod that runs is given a deadline', async () => {
  await board.desire('deadline', shellPod('deadline', [{ sh: SLEEP }]));
  const { metadata } = await board.pod('deadline', running, PATIENCE_MS);
  await board.desire('deadline', shellPod('deadline', [{ sh: SLEEP }], { activeDeadlineSeconds: 1 }));
  await kill();
  const over = await board.pod('deadline', (p) => p.status?.reason === 'DeadlineExceeded', PATIENCE_MS);
  assert.equal(over.metadata.uid, metadata.uid);
  await board.undesire('deadline');
});

test('many pods that are deleted as soon as they are made leave nothing', async () => {
  const names = Array.from({ length: 10 }, (_, i) => `fast-${i}`);
  await Promise.all(
    names.map((name) => board.desire(name, shellPod(name, [{ sh: 'true' }], { restartPolicy: 'Never' }))),
  );
  await board.stopAgent('SIGKILL');
  const gone = Promise.all(names.map((name) => board.undesire(name)));
  await board.startAgent();
  await gone;
});
