/** `--local`: what a board's owner sees on the board itself, with the broker away and with the agent dead. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod } from './pods.ts';

let board: Board;
let logDir: string;
before(async () => {
  logDir = mkdtempSync('/var/tmp/edgepod-local-logs-');
  // Said by flags, which commands on the board do not see.
  board = await Board.open({
    settings: ['--remote-exec', 'true', '--log-dir', logDir],
    broker: { persistence: true },
  });
  await board.load(await demoImage('debian'));
});
after(async () => {
  assert.deepEqual(await board.close(), []);
  rmSync(logDir, { recursive: true });
});

/** A command on the board: what it printed, and what it warned of. */
async function local(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await board.edgepod([...args, '--local']);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return { stdout, stderr };
}

async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await board.edgepod([...args, '--local']);
  assert.equal(code, 1, args.join(' '));
  assert.equal(stdout, '');
  return stderr;
}

/** Ends by itself when somebody writes to its fifo. */
const UNTIL_TOLD = 'mkfifo /tmp/go; echo hello; read word < /tmp/go; echo $word';

test('without a broker: pods, one in detail, logs', async () => {
  await board.desire('web', shellPod('web', [{ sh: `echo hello; ${SLEEP}` }, { sh: SLEEP }]));
  const other = shellPod('other', [{ sh: SLEEP }]);
  await board.desire('other', { ...other, metadata: { ...other.metadata, namespace: 'elsewhere' } }, 'elsewhere');
  const pod = await board.pod('web', running);
  await board.until('the other pod', () => board.status('other', 'elsewhere')?.status?.phase === 'Running');
  await board.mosquitto.kill9();
  try {
    const { stdout, stderr } = await local('get', 'pods');
    assert.match(stdout, /^NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\nweb\s+2\/2\s+Running\s+0\s+\d+s\n$/);
    assert.equal(stderr, '');
    assert.match((await local('get', 'pods', '-A')).stdout, /^NAMESPACE.*\ndefault +web .*\nelsewhere +other .*\n$/);
    assert.deepEqual(JSON.parse((await local('get', 'pods', 'web', '-o', 'json')).stdout), pod, 'what the broker has');
    assert.match((await local('describe', 'pod', 'web')).stdout, /^Name:\s+web$[\s\S]*State:\s+Running[\s\S]*Events:/m);
    const logs = await local('logs', 'web');
    assert.equal(logs.stdout, 'hello\n');
    assert.match(logs.stderr, /^Defaulted container "c0" out of: c0, c1\n$/);
    assert.match((await local('logs', 'web', '-c', 'c0', '--timestamps')).stdout, /^\d{4}-\d\d-\d\dT\S+ hello\n$/);
    assert.equal((await local('logs', 'web', '-c', 'c0', '--tail', '0')).stdout, '');
  } finally {
    await board.mosquitto.restart();
  }
  await board.undesire('other', 'elsewhere');
  assert.doesNotMatch((await local('get', 'pods', '-A')).stdout, /other/, 'one that was deleted is not there');
});

test('logs -f goes on until the container ends; --previous is of the run before', async () => {
  await board.desire('told', shellPod('told', [{ sh: UNTIL_TOLD }]));
  await board.pod('told', running);
  const followed = local('logs', 'told', '-f');
  assert.match(await refused('logs', 'told', '--previous'), /told\/c0 has not been restarted yet/);
  const tell = await board.edgepod(['exec', 'told', '--', 'sh', '-c', 'echo bye > /tmp/go']);
  assert.equal(tell.code, 0, tell.stderr);
  assert.equal((await followed).stdout, 'hello\nbye\n');
  await board.pod('told', (pod) => pod.status?.containerStatuses[0]?.restartCount === 1 && running(pod));
  assert.equal((await local('logs', 'told', '--previous')).stdout, 'hello\nbye\n');
  assert.equal((await local('logs', 'told')).stdout, 'hello\n');
  await board.undesire('told');
});

test('a start that failed has no log; the run before it has', async () => {
  const volumeMounts = [{ name: 'v', mountPath: '/v' }];
  const script = "printf '#!/bin/sh\\necho once; rm /v/run\\n' > /v/run; chmod +x /v/run";
  const pod = shellPod('once', [{ command: ['/v/run'], volumeMounts }], {
    volumes: [{ name: 'v', emptyDir: {} }],
    initContainers: [{ name: 'script', image: 'debian', command: ['/bin/sh', '-c', script], volumeMounts }],
  });
  await board.desire('once', pod);
  await board.pod('once', ({ status }) => status?.containerStatuses[0]?.restartCount === 1);
  await board.pod('once', ({ status }) => status?.containerStatuses[0]?.lastState.terminated?.reason === 'StartError');
  const { restartCount } = (await board.pod('once', () => true)).status!.containerStatuses[0]!;
  assert.equal((await local('logs', 'once', '-c', 'c0')).stdout, '');
  if (restartCount === 1) assert.equal((await local('logs', 'once', '-c', 'c0', '--previous')).stdout, 'once\n');
  await board.undesire('once');
});

test('logs -f of a container whose postStart hook still runs', async () => {
  const lifecycle = { postStart: { exec: { command: ['sleep', '3'] } } };
  await board.desire(
    'hook',
    shellPod('hook', [{ sh: 'echo a; sleep 4; echo b', lifecycle }], { restartPolicy: 'Never' }),
  );
  await board.until('its log', () => readdirSync(logDir).some((name) => name.startsWith('default_hook_')));
  const first = async () => (await board.edgepod(['logs', 'hook', '--local'])).stdout === 'a\n';
  while (!(await first())) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await local('logs', 'hook', '-f')).stdout, 'a\nb\n');
  await board.undesire('hook');
});

test('a long line is one line again', async () => {
  const sh = `head -c 40000 /dev/zero | tr '\\0' x; echo; ${SLEEP}`;
  await board.desire('long', shellPod('long', [{ sh }]));
  await board.pod('long', running);
  const whole = async () => (await local('logs', 'long')).stdout.length > 40_000;
  while (!(await whole())) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await local('logs', 'long')).stdout, `${'x'.repeat(40_000)}\n`);
  assert.equal((await board.edgepod(['logs', 'long'])).stdout, `${'x'.repeat(40_000)}\n`, 'by the broker too');
  await board.undesire('long');
});

test('with the agent dead: what it knew last, and that it is dead', async () => {
  await board.stopAgent('SIGKILL');
  const { stdout, stderr } = await local('get', 'pods');
  assert.match(stdout, /\nweb\s+2\/2\s+Running/);
  assert.match(stderr, /^Warning: no agent runs on this board/);
  assert.equal((await local('logs', 'web', '-c', 'c0')).stdout, 'hello\n');
  await board.startAgent();
  assert.equal((await local('get', 'pods')).stderr, '');
});

test('after an orderly end the database is read as it lies, and nothing is left beside it', async () => {
  await board.stopAgent('SIGTERM');
  const before = readdirSync(board.dataDir).sort();
  assert.ok(!before.some((name) => name.endsWith('-wal')), before.join(' '));
  assert.match((await local('get', 'pods')).stdout, /\nweb\s+2\/2\s+Running/);
  assert.deepEqual(readdirSync(board.dataDir).sort(), before);
  await board.startAgent();
});

test('what cannot be had on the board is refused', async () => {
  assert.match(await refused('get', 'pods', '-w'), /--local cannot watch/);
  assert.match(await refused('get', 'pods', '--broker', 'mqtt://b'), /--broker is of no use with --local/);
  const { code, stderr } = await board.edgepod(['get', 'pods', '--data-dir', board.dataDir]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: --data-dir is only for --local$/m);
  await board.desire('wrong', { ...shellPod('wrong', []), spec: { containers: [] } } as never);
  await board.pod('wrong', ({ status }) => status?.phase === 'Failed');
  assert.match(await refused('logs', 'wrong'), /pod wrong was refused and has no containers: /);
  await board.undesire('wrong');
  assert.match(await refused('get', 'configmaps'), /--local shows pods only: configmaps are asked of the broker/);
  assert.match(await refused('describe', 'secret', 'x'), /--local shows pods only/);
  assert.match(await refused('get', 'pods', 'nobody'), /pods "nobody" not found/);
  assert.match(await refused('logs', 'nobody'), /pods "nobody" not found on this board/);
  assert.match(await refused('get', 'pods', '-d', 'far'), new RegExp(`this board is "${board.device}", not "far"`));
  const empty = mkdtempSync('/var/tmp/edgepod-no-agent-');
  try {
    assert.match(await refused('get', 'pods', '--data-dir', empty), /no agent has run here yet/);
    assert.deepEqual(readdirSync(empty), [], 'looking makes nothing');
  } finally {
    rmSync(empty, { recursive: true });
  }
});
