/** What a beginner gets wrong beside a real broker: each command ends, with kubectl's exit code, and says what to do. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import mqtt, { type MqttClient } from 'mqtt';
import { EDGEPOD } from '../../edgepod.ts';
import { type Mosquitto, startMosquitto } from '../mosquitto.ts';

let mosquitto: Mosquitto;
let client: MqttClient;
let dir: string;
before(async () => {
  mosquitto = await startMosquitto();
  client = await mqtt.connectAsync(mosquitto.url, { protocolVersion: 5 });
  dir = mkdtempSync(join(tmpdir(), 'edgepod-mistakes-'));
  const pod = (image: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [image] },
  });
  writeFileSync(join(dir, 'pod.json'), JSON.stringify(pod({ name: 'nginx', image: 'nginx' })));
});
after(async () => {
  await client.endAsync(true);
  await mosquitto.stop();
  rmSync(dir, { recursive: true });
});

/** Runs a command to its end, in `dir`. */
async function edgepod(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(EDGEPOD, args, {
    cwd: dir,
    env: { ...process.env, EDGEPOD_BROKER: mosquitto.url, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk: Buffer) => {
      said[name] += String(chunk);
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, ...said };
}

/** What a device says of itself and of its pod. */
async function report(device: string, state: string, pod?: object): Promise<void> {
  const retained = { qos: 1, retain: true } as const;
  await client.publishAsync(`edgepod/devices/${device}/presence`, JSON.stringify({ state, session: 1 }), retained);
  if (pod)
    await client.publishAsync(`edgepod/devices/${device}/status/pods/default/web`, JSON.stringify(pod), retained);
}

describe('mistakes', () => {
  for (const [args, complaint] of [
    [['apply', '-f', 'pod.json'], /'-d, --device <id>' not specified\n\(see edgepod apply --help\)/],
    [['apply', '-f', 'none.yaml', '-d', 'board-7'], /cannot read none\.yaml: there is no such file\n$/],
    [['apply', '-f', '.', '-d', 'board-7'], /cannot read \.: it is a directory\n$/],
    [
      ['apply', '-f', 'pod.json', '-d', 'a/b'],
      /'-d, --device <id>' argument 'a\/b' is invalid. a device is named with/,
    ],
    [['apply', '-f', 'pod.json', '-d', '+'], /argument '\+' is invalid/],
    [['get', 'pods', '-n', '#'], /'-n, --namespace <name>' argument '#' is invalid/],
    [['delete', 'pod', '+', '-d', 'board-7'], /"\+" is no name/],
    [['logs', 'a/b'], /"a\/b" is no name/],
    [['get', 'pods', '--broker', 'localhost'], /"localhost" is not a broker address like mqtt:\/\/host:1883/],
    [['get', 'pods', '--ca-file', 'ca.pem'], /cannot read the certificate authority ca\.pem: there is no such file/],
    [['get', 'pods', '--password-file', 'secret'], /cannot read the password file secret: there is no such file/],
    [['restart', 'web'], /only pods can be restarted: edgepod restart pod web/],
    [['describe', 'node', 'board-7'], /edgepod get devices board-7 -o yaml/],
    [['image', 'list', '--data-dir', '/no/such'], /there is no data directory \/no\/such here/],
    [['image', 'load'], /missing required argument 'file'\n\(see edgepod image load --help\)/],
  ] as const)
    test(args.join(' '), async () => {
      const { code, stdout, stderr } = await edgepod([...args]);
      assert.match(stderr, complaint);
      assert.deepEqual([code, stdout], [1, '']);
    });

  test('a setting of the user that does not exist', async () => {
    mkdirSync(join(dir, 'edgepod'));
    writeFileSync(join(dir, 'edgepod/config.yaml'), 'brokr: mqtt://127.0.0.1\n');
    const { code, stderr } = await edgepod(['get', 'pods'], { XDG_CONFIG_HOME: dir });
    assert.match(stderr, /edgepod\/config\.yaml: unknown setting "brokr": there are broker, prefix/);
    assert.equal(code, 1);
  });
});

test('a broker on a port that is taken says so, and ends', async () => {
  const { code, stderr } = await edgepod(['broker', '--port', String(mosquitto.port)]);
  assert.match(stderr, /is in use: is a broker running already\?/);
  assert.equal(code, 1);
});

test('no command is a question for help', async () => {
  for (const args of [[], ['image']]) {
    const { code, stdout } = await edgepod(args);
    assert.match(stdout, /^Usage: edgepod/);
    assert.equal(code, 0);
  }
  assert.match((await edgepod(['--version'])).stdout, /^edgepod \d+\.\d+\.\d+\n$/);
});

describe('a device', () => {
  const wait = (device: string) => edgepod(['apply', '-f', 'pod.json', '-d', device, '--wait', '--timeout', '1s']);

  test('nobody has heard of: the manifest waits for it, with a warning', async () => {
    const { code, stdout, stderr } = await edgepod(['apply', '-f', 'pod.json', '-d', 'new']);
    assert.deepEqual([code, stdout], [0, 'pod/web created\n']);
    assert.match(stderr, /^Warning: no device "new" has reported to this broker yet: see `edgepod get devices`\n$/);
    assert.match((await edgepod(['get', 'pods', '-d', 'new'])).stderr, /Warning: no device "new" has reported/);
    const waited = await wait('new');
    assert.match(waited.stderr, /timed out waiting for pod\/web on new: no device "new" has reported/);
    assert.equal(waited.code, 1);
  });

  test('that is away', async () => {
    await report('away', 'lost');
    const { code, stderr } = await wait('away');
    assert.equal(
      stderr,
      'error: timed out waiting for pod/web on away: the device is away; the pod begins when it is back\n',
    );
    assert.equal(code, 1);
  });

  test('that cannot start the pod: the wait ends with what is in the way', async () => {
    const waiting = { reason: 'ErrImagePull', message: 'image "nginx" is not on this board' };
    const containerStatuses = [{ name: 'nginx', ready: false, state: { waiting } }];
    const status = { phase: 'Pending', observedGeneration: 99, conditions: [], containerStatuses };
    const metadata = { name: 'web', namespace: 'default' };
    await report('stuck', 'online', { apiVersion: 'v1', kind: 'Pod', metadata, spec: {}, status });
    const { code, stderr } = await edgepod(['apply', '-f', 'pod.json', '-d', 'stuck', '--wait', '--timeout', '1s']);
    assert.equal(code, 1);
    // The status is of an older manifest: the device has yet to answer to this one.
    assert.match(stderr, /the device has not answered to this manifest/);
    await report('stuck', 'online', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: {},
      status: { ...status, observedGeneration: 100 },
    });
    assert.match((await wait('stuck')).stderr, /on stuck: ErrImagePull: image "nginx" is not on this board\n$/);
  });
});
