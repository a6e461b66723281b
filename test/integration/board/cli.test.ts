import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { restarts, SLEEP, shellPod } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open();
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

/** Runs a command that must succeed; what it printed. */
async function ok(args: string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await board.edgepod(args, input);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Runs a command that must fail; what it complained about. */
async function fails(args: string[], input?: string): Promise<string> {
  const { code, stderr } = await board.edgepod(args, input);
  assert.equal(code, 1, args.join(' '));
  return stderr;
}

test('apply, get, describe, logs, delete: a pod from the command line', async () => {
  const on = ['-d', board.device];
  const manifest = JSON.stringify(shellPod('web', [{ sh: `echo hello; ${SLEEP}` }]));
  assert.equal(
    await ok(['apply', '-f', '-', ...on, '--wait', '--timeout', '60s'], manifest),
    'pod/web created\npod/web is running\n',
  );
  assert.equal(await ok(['apply', '-f', '-', ...on], manifest), 'pod/web unchanged\n');
  assert.match(
    await ok(['get', 'pods']),
    /^DEVICE\s+NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\n\S+\s+web\s+1\/1\s+Running\s+0\s+\d+s\n$/,
  );
  assert.match(await ok(['get', 'pods', ...on, '-o', 'wide']), /web\s+1\/1\s+Running\s+0\s+\d+s\s+10\.88\.\d+\.\d+/);
  const pod = JSON.parse(await ok(['get', 'pod', 'web', ...on, '-o', 'json']));
  assert.equal(pod.kind, 'Pod');
  assert.equal(pod.status.phase, 'Running');
  assert.equal(JSON.parse(await ok(['get', 'pods', '-o', 'json'])).kind, 'List');
  assert.match(await ok(['describe', 'pod', 'web']), /^Name:\s+web$[\s\S]*State:\s+Running/m);
  assert.equal(await ok(['logs', 'web']), 'hello\n');
  assert.equal(await ok(['logs', 'web', '--tail', '0']), '');
  assert.match(await ok(['logs', 'web', '--timestamps']), /^\d{4}-\d\d-\d\dT\S+ hello\n$/);
  const changed = JSON.stringify(shellPod('web', [{ sh: `echo changed; ${SLEEP}` }]));
  assert.equal(await ok(['apply', '-f', '-', ...on, '--wait'], changed), 'pod/web configured\npod/web is running\n');
  assert.equal(await ok(['logs', 'web']), 'changed\n');
  assert.equal(restarts(board.status('web')!), 0);
  assert.equal(await ok(['delete', 'pod', 'web', ...on, '--wait']), 'pod "web" deleted\n');
  assert.equal(board.status('web'), undefined);
});

test('apply --wait of a pod that fails, and of one that is refused, ends with 1 and the reason', async () => {
  const on = ['-d', board.device, '--wait', '--timeout', '60s'];
  const failing = JSON.stringify(shellPod('fails', [{ sh: 'exit 3' }], { restartPolicy: 'Never' }));
  assert.match(await fails(['apply', '-f', '-', ...on], failing), /pod\/fails failed: c0 ended with 3 \(Error\)/);
  const invalid = JSON.stringify({ ...shellPod('bad', [{ sh: 'true' }]), spec: { containers: [{ name: 'x' }] } });
  assert.match(await fails(['apply', '-f', '-', ...on], invalid), /pod\/bad: spec\.containers\[0\]\.image: Required/);
  await ok(['delete', 'pod', 'fails', '-d', board.device, '--wait']);
});

test('apply --wait of several objects in one file tells of each pod itself, in the order of the file', async () => {
  const on = ['-d', board.device];
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { word: 'hello' } };
  const envFrom = [{ prefix: '', configMapRef: { name: 'settings', optional: false } }];
  const { spec: serves } = shellPod('pod', [{ sh: `sleep 1; echo $word; ${SLEEP}`, envFrom }]);
  const set = (kind: string, name: string) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: serves },
    },
  });
  const { spec: ends } = shellPod('pod', [{ sh: 'true' }], { restartPolicy: 'Never' });
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' }, spec: { template: { spec: ends } } };
  const items = [shellPod('item', [{ sh: SLEEP }])];
  const file = [set('Deployment', 'served'), job, { apiVersion: 'v1', kind: 'List', items }, set('DaemonSet', 'all')];
  const text = [...file, settings].map((document) => JSON.stringify(document)).join('\n---\n');
  const said = await ok(['apply', '-f', '-', ...on, '--wait', '--timeout', '60s'], text);
  assert.equal(
    said,
    [
      'configmap/settings created',
      ...['served', 'once', 'item', 'all'].map((name) => `pod/${name} created`),
      'pod/served is running',
      'pod/once succeeded',
      'pod/item is running',
      'pod/all is running',
      '',
    ].join('\n'),
  );
  assert.equal(await ok(['logs', 'all']), 'hello\n');
  await ok(['delete', '-f', '-', ...on, '--wait'], text);
  assert.equal(board.status('served'), undefined);
});

test('get devices shows this board as Ready; -o json is Node-shaped', async () => {
  assert.match(await ok(['get', 'devices']), new RegExp(`^${board.device}\\s+Ready\\s+(amd64|arm64)`, 'm'));
  const node = JSON.parse(await ok(['get', 'devices', board.device, '-o', 'json']));
  assert.equal(node.kind, 'Node');
  assert.equal(node.metadata.name, board.device);
  assert.ok(node.status.conditions.some(({ type }: { type: string }) => type === 'MemoryPressure'));
  assert.equal(node.presence.state, 'online');
});

test('errors say what to do', async () => {
  assert.match(
    await fails(['get', 'pods', '--broker', 'mqtt://127.0.0.1:1']),
    /cannot reach the broker mqtt:\/\/127\.0\.0\.1:1/,
  );
  assert.match(await fails(['logs', 'nobody']), /pods "nobody" not found/);
  assert.match(await fails(['get', 'gadgets']), /there is no kind "gadgets"/);
  assert.match(await fails(['apply', '-f', '/no/such/file', '-d', 'x']), /cannot read \/no\/such\/file/);
  assert.match(await fails(['delete', 'pod', 'nobody', '-d', board.device]), /pod "nobody" not found/);
  assert.match(await fails(['image', 'load', '/etc/hostname']), /no image archive|tar|archive/i);
});

test('image list and remove; validate; version', async () => {
  assert.match(await ok(['image', 'list']), /docker\.io\/library\/debian:latest/);
  assert.match(await ok(['validate', '-f', '-'], JSON.stringify(shellPod('v', [{ sh: 'true' }]))), /pod\/v is valid/);
  assert.match(await ok(['version']), /^edgepod \d+\.\d+\.\d+\n$/);
});

test('image remove: an image that a pod needs stays, also one whose pod has not begun', async () => {
  const waiting = shellPod('waits', [{ sh: SLEEP, image: 'absent' }], {
    initContainers: [{ name: 'first', image: 'also-absent' }],
    volumes: [{ name: 'v', image: { reference: 'debian' } }],
  });
  await board.desire('waits', waiting);
  await board.pod('waits', (pod) => pod.status?.phase === 'Pending');
  assert.match(await fails(['image', 'remove', 'debian']), /image "debian" is needed by a pod: delete the pod first/);
  await board.stopAgent();
  assert.match(await fails(['image', 'remove', 'debian']), /is needed by a pod/, 'without an agent, too');
  await board.startAgent();
  await board.undesire('waits');
  assert.match(await ok(['image', 'list']), /docker\.io\/library\/debian:latest/);
});

test('two agents on one machine: their own bridge, subnet and pods', async () => {
  const base = mkdtempSync('/var/tmp/edgepod-second-');
  try {
    const other = await Board.open();
    try {
      await other.load(await demoImage('debian'));
      const pod = shellPod('same', [{ sh: SLEEP }]);
      await board.desire('same', pod);
      await other.desire('same', pod);
      const here = await board.pod('same', (p) => p.status?.phase === 'Running');
      const there = await other.pod('same', (p) => p.status?.phase === 'Running');
      assert.notEqual(here.status?.podIP?.split('.')[2], there.status?.podIP?.split('.')[2]);
      await other.undesire('same');
      await board.undesire('same');
    } finally {
      assert.deepEqual(await other.close(), []);
    }
  } finally {
    rmSync(join(base), { recursive: true });
  }
});
