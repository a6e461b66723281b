/** As Raspberry Pi OS ships it: the kernel has the memory controller, the command line switches it off. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition } from '../node-condition.ts';
import { apply, loadTiny, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;

suite('cgroup_disable=memory', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest(), { shape: MACHINES['no-memory-controller']! });
    await device.online();
    await loadTiny(device);
  });
  after(() => device?.stop());

  test('the node says so, and what to do about it', async () => {
    assert.doesNotMatch(await device.sure('cat /sys/fs/cgroup/cgroup.controllers'), /memory/);
    const { status, message } = await nodeCondition(device, 'KernelLimited');
    assert.equal(status, 'True');
    assert.match(message, /memory controller: .*cgroup_enable=memory/);
  });

  test('so does check, and finds nothing that keeps pods from running', async () => {
    const { code, stdout } = await device.ssh('edgepod check');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^warn +memory controller +memory limits and figures do not work/m);
    assert.match(stdout, /^ok +cgroups +v2: .*cpu.*pids/m);
  });

  test('a pod with limits runs; CPU and process limits hold', async () => {
    const resources = { limits: { memory: '32Mi', cpu: '500m' } };
    await apply(device, tinyPod('limited', { container: { resources } }));
    await untilPod(device, 'limited', running);
    const max = await device.sure('cat /sys/fs/cgroup/edgepod/pod*/c0/cpu.max');
    assert.match(max, /^50000 100000$/m);
  });
});
