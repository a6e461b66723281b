/** What the product is for: pods on an arm64 board with systemd and cgroup v2, emulated, the broker elsewhere. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { DeviceImage } from '../../image/device-image.ts';
import type { Pod } from '../../src/manifest/types/pod.ts';
import { demoImage } from '../images/demo-images.ts';
import { buildTinyImage } from '../images/tiny.ts';
import { Device } from './device.ts';
import { GUEST_FILES } from './guest-files.ts';
import { prepareGuest, runInGuest } from './guest-suite.ts';

const MANIFEST = join(import.meta.dirname, '../demo/two-containers.yaml');
const POD = 'two-containers';
const PAGE = 'Hello from the debian container';
/** Process id and start time of all that runs in pods: the same text means the same processes. */
const PROCESSES = `for p in $(pgrep -x 'nginx|edgepod-pause' | sort -n); do cut -d' ' -f1,22 /proc/$p/stat; done`;

let device: Device;
let podIP = '';
let processes = '';

before(async () => {
  const image = JSON.parse(process.env.EDGEPOD_DEVICE_IMAGE!) as DeviceImage;
  device = await Device.start(image, { extraDisks: [process.env.EDGEPOD_SUITE_DISK!] });
});
after(() => device?.stop());

suite('an arm64 board, from outside', () => {
  test('boots and comes online at the broker', async () => {
    await device.online();
    assert.equal(await device.sure('uname -m; stat -fc %T /sys/fs/cgroup'), 'aarch64\ncgroup2fs');
    assert.equal(await device.sure('systemctl is-active edgepod'), 'active');
  });

  test('check finds nothing that keeps pods from running', async () => {
    const out = await device.sure('edgepod check');
    assert.match(out, /^ok +cgroups +v2: .*cpu.*memory.*pids/m);
    assert.match(out, /^ok +broker +mqtt:.* is reachable/m);
    assert.doesNotMatch(out, /^fail/m);
  });

  test('images are loaded over SSH; one for amd64 is refused with the reason', async () => {
    for (const name of ['debian', 'nginx'] as const) {
      const archive = await demoImage(name, { arch: 'arm64' });
      await device.sure(`cat > /var/tmp/${name}.tar`, { input: archive });
      const loaded = await device.sure(`edgepod image load /var/tmp/${name}.tar`, { patienceMs: 240_000 });
      assert.match(loaded, new RegExp(name));
      await device.sure(`rm /var/tmp/${name}.tar`);
    }
    const dir = mkdtempSync('/var/tmp/edgepod-foreign-');
    try {
      const foreign = await buildTinyImage(dir, { name: 'foreign', arch: 'amd64', files: { 'etc/hello': 'hello' } });
      await device.sure('cat > /var/tmp/foreign.tar', { input: foreign });
    } finally {
      rmSync(dir, { recursive: true });
    }
    const refused = await device.ssh('edgepod image load /var/tmp/foreign.tar');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /amd64/);
    assert.match(refused.stderr, /arm64/);
  });

  test('a pod of two containers, applied through the broker, runs and serves', async () => {
    await device.sure('mkdir -p /data');
    const applied = await device.edgepod(['apply', '-f', MANIFEST, '-d', device.name, '--wait', '--timeout', '3m'], {
      patienceMs: 200_000,
    });
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    const pod = await device.until('debian-container to complete', async () => {
      const now = await podNow();
      return ended(now, 'debian-container') && now;
    });
    assert.equal(pod.status!.phase, 'Running');
    assert.equal(ended(pod, 'debian-container')!.exitCode, 0);
    podIP = pod.status!.podIP!;
    assert.equal(await page(), PAGE);
  });

  test('get and describe show it from afar', async () => {
    const wide = await device.edgepod(['get', 'pods', '-d', device.name, '-o', 'wide']);
    // As kubectl says it of a pod one of whose containers is done.
    assert.match(wide.stdout, new RegExp(`^${POD} +1/2 +NotReady .* ${podIP} +${device.name} `, 'm'), wide.stderr);
    const described = await device.edgepod(['describe', 'pod', POD, '-d', device.name]);
    assert.match(described.stdout, /nginx-container/, described.stderr);
    assert.match(described.stdout, /Completed/);
  });

  test('its containers are in cgroups of their own, outside of the service', async () => {
    const groups = await device.sure('for p in $(pgrep -x nginx); do cat /proc/$p/cgroup; done');
    assert.match(groups, /^(0::\/edgepod\/\S+\n?)+$/);
    const agent = await device.sure('cat /proc/$(systemctl show -p MainPID --value edgepod)/cgroup');
    assert.match(agent, /edgepod\.service$/);
  });

  test('logs come over the broker', async () => {
    await device.until('the request in the log', async () => {
      const { stdout } = await device.edgepod(['logs', POD, '-d', device.name, '-c', 'nginx-container']);
      return stdout.includes('GET / HTTP/1.0');
    });
  });

  test('kill -9 of the agent: systemd starts it again and the pod never notices', async () => {
    processes = await device.sure(PROCESSES);
    assert.ok(processes.split('\n').length >= 3, processes);
    const before = await agentPid();
    await device.sure(`kill -9 ${before}`);
    await newAgent(before);
    await samePod();
  });

  test('daemon-reload of systemd and restart of the service: the same processes', async () => {
    const before = await agentPid();
    await device.sure('systemctl daemon-reload && systemctl restart edgepod', { patienceMs: 200_000 });
    await newAgent(before);
    await samePod();
  });

  test('deleted, nothing of it is left', async () => {
    const deleted = await device.edgepod(['delete', 'pod', POD, '-d', device.name, '--wait', '--timeout', '2m'], {
      patienceMs: 150_000,
    });
    assert.equal(deleted.code, 0, deleted.stdout + deleted.stderr);
    assert.equal(await device.sure(PROCESSES), '');
    const left = 'find /sys/fs/cgroup/edgepod -mindepth 1 -type d; grep overlay /proc/mounts || :';
    assert.equal(await device.sure(left), '');
  });
});

suite('the integration suite on the board', () => {
  before(() => prepareGuest(device));
  for (const file of GUEST_FILES)
    test(file, async () => {
      const { code } = await runInGuest(device, file);
      assert.equal(code, 0, 'what failed is above');
    });
});

async function podNow(): Promise<Pod> {
  const { code, stdout, stderr } = await device.edgepod(['get', 'pods', POD, '-d', device.name, '-o', 'json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Pod;
}

function ended(pod: Pod, container: string) {
  return pod.status?.containerStatuses.find(({ name }) => name === container)?.state.terminated;
}

/** What the pod serves, asked for on the board itself, which has no curl. */
async function page(): Promise<string> {
  const request = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
  return (await device.sure(`bash -c "exec 3<>/dev/tcp/${podIP}/80; ${request}"`)).split('\n').at(-1)!;
}

function agentPid(): Promise<string> {
  return device.sure('systemctl show -p MainPID --value edgepod');
}

/** Waits until systemd says that another agent is ready. */
async function newAgent(before: string): Promise<void> {
  await device.until('another agent', async () => {
    const state = await device.sure('systemctl is-active edgepod || :');
    const pid = await agentPid();
    return state === 'active' && pid !== '0' && pid !== before;
  });
}

async function samePod(): Promise<void> {
  assert.equal(await device.sure(PROCESSES), processes);
  assert.equal(await page(), PAGE);
  const pod = await podNow();
  assert.equal(pod.status!.phase, 'Running');
  assert.equal(pod.status!.containerStatuses.find(({ name }) => name === 'nginx-container')!.restartCount, 0);
}
