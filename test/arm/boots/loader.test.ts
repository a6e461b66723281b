/** Booted as a real board is, by UEFI and the boot loader on the card, whose settings a person can change there. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { FIRMWARE } from '../../../image/qemu/arguments.ts';
import { bootFile, putBootFile } from '../../../image/qemu/boot-partition.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';

let device: Device;
const root = () => device.sure('findmnt -no OPTIONS /');

suite('the boot loader on the card', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest(), { shape: { firmware: FIRMWARE } });
    await device.online();
  });
  after(() => device?.stop());

  test('boots the image, with a root that can be written', async () => {
    assert.match(await root(), /^rw,/);
    await device.sure('test -d /sys/firmware/efi');
  });

  test('an initrd that is made anew is what boots next', async () => {
    // As update-initramfs calls it, which itself takes a quarter of an hour here. An empty archive more changes the file.
    const initrd = '/boot/initrd.img-$(uname -r)';
    const hook = 'run-parts --arg=$(uname -r) --arg=/boot/initrd.img-$(uname -r) /etc/initramfs/post-update.d';
    await device.sure(`gzip -c /dev/null >> ${initrd} && ${hook} && sync`, { patienceMs: 300_000 });
    await device.machine.cutPower();
    assert.match(
      bootFile(device.disk, 'loader/entries/edgepod.conf'),
      /^linux \/a\/vmlinuz\ninitrd \/a\/initrd\.img$/m,
    );
    await device.powerCycle();
    await device.online();
  });

  test('one line of loader.conf makes the root read-only', async () => {
    await device.machine.cutPower();
    const settings = bootFile(device.disk, 'loader/loader.conf');
    putBootFile(device.disk, 'loader/loader.conf', settings.replace(/^default .*$/m, 'default edgepod-read-only.conf'));
    await device.powerCycle();
    await device.online();
    assert.match(await root(), /^ro,/);
  });
});
