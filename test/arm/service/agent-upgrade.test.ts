/** The package on a running board: a newer one, a hung agent, a restart, a drain, a purge. Pods notice the last two only. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { apply, loadTiny, podNow, podProcesses, restarts, running, tinyPod, untilPod } from '../tiny-pods.ts';

const NEWER = '0.1.0+test1';
const root = join(import.meta.dirname, '../../..');

let device: Device;
let processes = '';

suite('the service on a board', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest(), { settings: { hostname: 'board-of-mine' } });
    await device.online();
    await loadTiny(device);
    await apply(device, tinyPod('web'));
    await untilPod(device, 'web', running);
    processes = await podProcesses(device);
    assert.match(processes, /pause\)[\s\S]*\(sleeper\)|\(sleeper\)[\s\S]*pause\)/);
  });
  after(() => device?.stop());

  test('apt installs a newer package: the same processes, and an exit meanwhile is told', async () => {
    // Ends while no agent runs: it says so to the shim alone, by a file in its volume-less root, after a signal from here.
    await apply(device, tinyPod('job', { command: ['/bin/sleeper', '7'], spec: { restartPolicy: 'Never' } }));
    await untilPod(device, 'job', running);
    const before = await agentPid();
    await device.sure('cat > /run/new.deb', { input: newerPackage(), patienceMs: 300_000 });
    const install = device.sure('apt-get install -y -o Dpkg::Use-Pty=0 /run/new.deb', { patienceMs: 600_000 });
    const job = /^(\d+) \(sleeper\)/m.exec(added(await podProcesses(device)))![1];
    const alone = await device.sure(
      `while [ "$(${PID})" != 0 ]; do sleep 0.1; done; kill -TERM ${job}; while [ -e /proc/${job} ]; do :; done; ${PID}`,
      { patienceMs: 600_000 },
    );
    assert.equal(alone, '0', 'no agent was there to see the end');
    await install;
    await newAgent(before);
    assert.ok((await device.sure('edgepod version')).includes(NEWER));
    assert.equal(await device.sure("dpkg-query -W -f '${Version}' edgepod"), NEWER);
    assert.equal(await device.sure('readlink /etc/edgepod/agent.yaml'), '/run/edgepod-board/agent.yaml');
    assert.equal(await podProcesses(device), processes);
    const told = await untilPod(device, 'job', (pod) => pod.status?.phase === 'Failed');
    assert.equal(told.status!.containerStatuses[0]!.state.terminated?.exitCode, 7);
    assert.equal(restarts((await podNow(device, 'web'))!), 0);
  });

  test('a hung agent is replaced by the watchdog, its pods are not', async () => {
    const before = await agentPid();
    await device.sure(`kill -STOP ${before}`);
    await newAgent(before);
    assert.match(await device.sure('journalctl -b -o cat _PID=1'), /edgepod\.service: Watchdog timeout/);
    await same();
  });

  test('an agent that is asked to end by anybody but systemd comes back', async () => {
    const before = await agentPid();
    await device.sure(`kill -TERM ${before}`);
    await newAgent(before);
    await same();
  });

  test('systemctl restart: the same processes', async () => {
    const before = await agentPid();
    await device.sure('systemctl restart edgepod', { patienceMs: 300_000 });
    await newAgent(before);
    await same();
  });

  test('stop and drain ends the pods; they come back with the agent', async () => {
    await device.sure('systemctl stop edgepod', { patienceMs: 300_000 });
    assert.equal(await podProcesses(device), processes);
    await device.sure('edgepod drain', { patienceMs: 300_000 });
    assert.equal(await left(), '');
    await device.sure('systemctl start edgepod', { patienceMs: 300_000 });
    await untilPod(device, 'web', running);
    await device.until('the pod', async () => /sleeper/.test(await podProcesses(device)));
  });

  test('purge ends the pods and leaves nothing', async () => {
    await device.sure('DEBIAN_FRONTEND=noninteractive apt-get purge -y edgepod', { patienceMs: 600_000 });
    assert.equal(await left(), '');
    assert.equal(
      await device.sure('ls -A /var/lib/edgepod; ls -d /run/edgepod /etc/edgepod /usr/lib/edgepod 2> /dev/null || :'),
      '',
    );
    assert.match((await device.ssh('systemctl status edgepod')).stderr, /could not be found/);
  });

  test('without the package the board boots, and lets its owner in', async () => {
    await device.sure('sync');
    await device.powerCycle();
    await device.until('SSH', async () => (await device.ssh('true')).code === 0, 300_000);
    assert.equal(await device.sure('systemctl is-active edgepod-board'), 'active');
    assert.equal(await device.sure('hostname'), 'board-of-mine');
  });
});

/** With another configuration file, as a release that has a new setting: dpkg asks about those that were changed. */
function newerPackage(): string {
  const args = ['-s', '-C', join(root, 'image'), 'deb', 'DEB_ARCH=arm64', `DEB_VERSION=${NEWER}`];
  const made = execFileSync('make', args, { encoding: 'utf8' }).trim().split('\n').at(-1)!;
  const tree = mkdtempSync('/var/tmp/edgepod-newer-');
  try {
    execFileSync('dpkg-deb', ['-R', made, join(tree, 'deb')]);
    appendFileSync(join(tree, 'deb/etc/edgepod/agent.yaml'), '# A setting that this release has more.\n');
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '-b', join(tree, 'deb'), made], { stdio: 'ignore' });
  } finally {
    rmSync(tree, { recursive: true });
  }
  return made;
}

/** Lines that the pod of the beginning does not have. */
function added(now: string): string {
  const known = new Set(processes.split('\n'));
  return now
    .split('\n')
    .filter((line) => !known.has(line))
    .join('\n');
}

const PID = 'systemctl show -p MainPID --value edgepod';

function agentPid(): Promise<string> {
  return device.sure(PID);
}

async function newAgent(before: string): Promise<void> {
  await device.until('another agent', async () => {
    const state = (await device.ssh('systemctl is-active edgepod')).stdout.trim();
    const pid = await agentPid();
    return state === 'active' && pid !== '0' && pid !== before;
  });
}

async function same(): Promise<void> {
  assert.equal(await podProcesses(device), processes);
  assert.equal(restarts((await podNow(device, 'web'))!), 0);
}

/** What pods leave in the kernel. */
function left(): Promise<string> {
  return device.sure(
    'find /sys/fs/cgroup/edgepod -mindepth 1 -type d 2> /dev/null; ip -br link | grep -E "^(edgepod|ep)" || :; nft list tables | grep edgepod || :; pgrep -l "pause|sleeper|edgepod-runner" || :; grep edgepod /proc/mounts | grep -v " /var/lib/edgepod ext4" || :',
  );
}
