/** ConfigMaps and Secrets in real pods: variables and files, live updates, what waits for them, and where they never lie. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { because, phase, restarts, running, SLEEP, shellPod, state } from './pods.ts';

const PASSWORD = 'correct-horse-battery-staple';
let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

const publish = async (kind: 'configmaps' | 'secrets', name: string, object: object | '') => {
  const text = object === '' ? '' : JSON.stringify(object);
  await board.client.publishAsync(board.topic(`desired/${kind}/default/${name}`), text, { qos: 1, retain: true });
};
const configMap = (name: string, data: object, more: object = {}) =>
  publish('configmaps', name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, ...more });
const secret = (name: string, stringData: object) =>
  publish('secrets', name, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData });
const log = async (pod: string) => (await board.edgepod(['logs', pod])).stdout;
const events = () =>
  board.messages
    .filter(({ topic }) => topic === board.topic('events'))
    .map(
      ({ payload }) => JSON.parse(payload.toString()) as { reason: string; message: string; involvedObject: object },
    );
/** Waits until the pod's log has a line. */
const logs = async (pod: string, wanted: RegExp) => {
  let text = '';
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    text = await log(pod);
    if (wanted.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.match(text, wanted);
};

test('variables from everything', async () => {
  await configMap('env', { color: 'blue', shape: 'round' });
  await secret('env', { password: PASSWORD });
  const env = [
    { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'env', key: 'color' } } },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'env', key: 'password' } } },
    { name: 'NONE', valueFrom: { secretKeyRef: { name: 'env', key: 'none', optional: true } } },
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
    { name: 'ALL', value: '$(CM_shape) $(COLOR) $(PASSWORD) $(NOT)' },
  ];
  const container = {
    sh: 'echo "$$ALL|$$NAME|$$IP|$$MEMORY|$${NONE-unset}"',
    env,
    envFrom: [{ prefix: 'CM_', configMapRef: { name: 'env', optional: false } }],
    resources: { limits: { memory: '64Mi' } },
  };
  await board.desire('env', shellPod('env', [container], { restartPolicy: 'Never' }));
  const pod = await board.pod('env', phase('Succeeded'));
  assert.equal(await log('env'), `round blue ${PASSWORD} $(NOT)|env|${pod.status?.podIP}|64|unset\n`);
  await board.undesire('env');
});

test('a missing object: CreateContainerConfigError in the kubelet’s words, and on when it arrives', async () => {
  const env = [{ name: 'V', valueFrom: { configMapKeyRef: { name: 'late', key: 'v' } } }];
  await board.desire('waits', shellPod('waits', [{ sh: 'echo got $V', env }], { restartPolicy: 'Never' }));
  const pod = await board.pod('waits', because('CreateContainerConfigError'));
  assert.equal(state(pod).waiting?.message, 'configmap "late" not found');
  await configMap('late', { other: '1' });
  await board.pod('waits', (p) => state(p).waiting?.message === "couldn't find key v in ConfigMap default/late");
  await configMap('late', { v: 'it' });
  await board.pod('waits', phase('Succeeded'));
  assert.equal(await log('waits'), 'got it\n');
  await board.undesire('waits');
});

test('volumes of every object: read-only, with their modes, groups and bytes', async () => {
  await configMap('files', { a: 'one' }, { binaryData: { raw: 'AP8=' } });
  await secret('files', { password: PASSWORD });
  const volumes = [
    { name: 'c', configMap: { name: 'files' } },
    { name: 's', secret: { secretName: 'files', defaultMode: 0o400 } },
    { name: 'd', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      name: 'p',
      projected: {
        sources: [
          { configMap: { name: 'files', items: [{ key: 'a', path: 'deep/er' }] } },
          { secret: { name: 'files' } },
          { configMap: { name: 'none', optional: true } },
        ],
      },
    },
    { name: 'e', emptyDir: {} },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  volumeMounts.push({ name: 'c', mountPath: '/one', subPath: 'a' } as (typeof volumeMounts)[number]);
  const sh = [
    'cat /c/a /one /p/deep/er; echo; cat /s/password /p/password; echo; cat /d/labels; echo',
    'od -An -tx1 /c/raw',
    'stat -L -c "%a %g" /s/password; stat -c "%a %g" /e',
    'touch /c/x 2>&1; mv /s/password /s/y 2>&1; echo > /c/a',
    'touch /e/f; stat -c %g /e/f; stat -f -c %T /s',
  ].join('; ');
  const securityContext = { fsGroup: 4242, runAsUser: 1000, runAsGroup: 1000 };
  const pod = shellPod('mounted', [{ sh, volumeMounts }], { restartPolicy: 'Never', volumes, securityContext });
  pod.metadata.labels = { app: 'web' };
  await board.desire('mounted', pod);
  await board.pod('mounted', (p: Pod) => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed');
  const text = await log('mounted');
  assert.match(text, /^oneoneone\n/);
  assert.ok(text.includes(`${PASSWORD}${PASSWORD}\napp="web"\n`), text);
  assert.match(text, / 00 ff\n440 4242\n2777 4242\n/);
  assert.equal(text.match(/Read-only file system/g)?.length, 3, text);
  assert.match(text, /4242\ntmpfs\n/);
  await board.undesire('mounted');
});

test('a change is seen inside, whole, by files and not by subPath, without a restart; also after kill -9 of the agent', async () => {
  await configMap('live', { v: 'one' });
  const volumes = [
    { name: 'c', configMap: { name: 'live' } },
    { name: 'd', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ];
  const volumeMounts = [
    { name: 'c', mountPath: '/c' },
    { name: 'd', mountPath: '/d' },
    { name: 'c', mountPath: '/fixed', subPath: 'v' },
  ];
  const sh = 'while :; do echo "$(cat /c/v) $(cat /fixed) $(cat /d/labels)"; sleep 0.1; done';
  const pod = shellPod('live', [{ sh, volumeMounts }], { volumes });
  pod.metadata.labels = { app: 'a' };
  await board.desire('live', pod);
  await logs('live', /one one app="a"/);
  await configMap('live', { v: 'two' });
  await logs('live', /two one app="a"/);
  pod.metadata.labels = { app: 'b' };
  await board.desire('live', pod);
  await logs('live', /two one app="b"/);
  await board.stopAgent('SIGKILL');
  await configMap('live', { v: 'three' });
  await board.startAgent();
  await logs('live', /three one app="b"/);
  await publish('configmaps', 'live', '');
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await board.pod('live', running);
  assert.equal(restarts(after), 0);
  await board.undesire('live');
});

test('a volume whose Secret is missing: FailedMount, ContainerCreating, and on when it arrives', async () => {
  const volumes = [{ name: 's', secret: { secretName: 'later' } }];
  const sh = `cat /s/password; echo; ${SLEEP}`;
  await board.desire(
    'mounts',
    shellPod('mounts', [{ sh, volumeMounts: [{ name: 's', mountPath: '/s' }] }], { volumes }),
  );
  const wanted = 'MountVolume.SetUp failed for volume "s" : secret "later" not found';
  await board.until('the event', () =>
    events().some(({ reason, message }) => reason === 'FailedMount' && message.includes(wanted)),
  );
  await board.pod('mounts', because('ContainerCreating'));
  await secret('later', { password: PASSWORD });
  await board.pod('mounts', running);
  await logs('mounts', new RegExp(PASSWORD));
  await board.undesire('mounts');
});

test('no Secret is in clear below the data directory, and offline it is still there after a restart', async () => {
  await secret('kept', { password: 'only-in-memory-please' });
  await board.until('the secret to be stored', () => readdirSync(board.dataDir).includes('secrets.key'));
  const volumes = [{ name: 's', secret: { secretName: 'kept' } }];
  const volumeMounts = [{ name: 's', mountPath: '/s', readOnly: true }];
  const env = [{ name: 'P', valueFrom: { secretKeyRef: { name: 'kept', key: 'password' } } }];
  await board.desire('keeper', shellPod('keeper', [{ sh: SLEEP, volumeMounts, env }], { volumes }));
  await board.pod('keeper', running);
  const files = readdirSync(board.dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const own = files.filter(({ parentPath }) => !parentPath.includes('/images/'));
  assert.ok(own.length > 3);
  for (const { parentPath, name } of own) {
    const bytes = readFileSync(join(parentPath, name));
    for (const text of ['only-in-memory-please', Buffer.from('only-in-memory-please').toString('base64').slice(0, 24)])
      assert.equal(bytes.includes(text), false, `${parentPath}/${name}`);
  }
  await board.undesire('keeper');
});

test('tombstones are carried out, immutable objects keep their data, refusals are events without values', async () => {
  await configMap('fixed', { a: '1' }, { immutable: true });
  await configMap('fixed', { a: '2' }, { immutable: true });
  const refused = (wanted: RegExp) => () =>
    events().some(({ reason, message }) => reason === 'InvalidObject' && wanted.test(message));
  await board.until('the refusal', refused(/^data: Forbidden: field is immutable/));
  await publish('secrets', 'bad', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'bad' },
    data: { k: '!secret!' },
  });
  await board.until('the refusal', refused(/^data/));
  assert.equal(
    events().some(({ message }) => message.includes('!secret!')),
    false,
  );
  const metadata = { name: 'fixed', deletionTimestamp: new Date().toISOString() };
  await publish('configmaps', 'fixed', { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  await board.until(
    'the tombstone to be cleared',
    () => !board.topics.has(board.topic('desired/configmaps/default/fixed')),
  );
});
