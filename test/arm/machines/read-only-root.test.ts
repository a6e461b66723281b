/** A root that is never written, with everything that changes on the data partition. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { apply, loadTiny, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;

suite('read-only root', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest(), { shape: MACHINES['read-only-root']! });
    await device.online();
    await loadTiny(device);
  });
  after(() => device?.stop());

  test('the root cannot be written, the data partition can, and check has nothing against it', async () => {
    assert.notEqual((await device.ssh('touch /etc/x')).code, 0);
    assert.match(await device.sure('findmnt -no FSTYPE,OPTIONS /var/lib/edgepod'), /^ext4 +rw/);
    assert.doesNotMatch(await device.sure('edgepod check'), /^fail|data partition/m);
  });

  test('a pod runs, writes to its root and its volume', async () => {
    const container = { volumeMounts: [{ name: 'work', mountPath: '/work' }] };
    await apply(device, tinyPod('web', { spec: { volumes: [{ name: 'work', emptyDir: {} }] }, container }));
    await untilPod(device, 'web', running);
    const root = '/proc/$(cat /sys/fs/cgroup/edgepod/pod*/c0/cgroup.procs)/root';
    await device.sure(`touch ${root}/var/written ${root}/work/written`);
  });

  test('after a power cut it is the same board: same SSH key, same pod, same image', async () => {
    const key = await device.sure('cat /var/lib/edgepod/board/ssh_host_ed25519_key.pub');
    await device.powerCycle();
    await device.until('the pod', async () => /c0/.test(await containers()));
    assert.equal(await device.sure('cat /var/lib/edgepod/board/ssh_host_ed25519_key.pub'), key);
    assert.match(await device.sure('edgepod image list'), /tiny/);
  });
});

/** Containers that have a process, as directories of cgroups; empty while the board cannot be asked. */
async function containers(): Promise<string> {
  return (await device.ssh('grep -l . /sys/fs/cgroup/edgepod/pod*/*/cgroup.procs')).stdout;
}
