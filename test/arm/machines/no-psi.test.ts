/** A kernel without pressure figures, which distributions for boards like to leave switched off. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition } from '../node-condition.ts';
import { apply, loadTiny, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;

suite('psi=0', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest(), { shape: MACHINES['no-psi']! });
    await device.online();
  });
  after(() => device?.stop());

  test('condition and check name it; nothing else is missing', async () => {
    const { message } = await nodeCondition(device, 'KernelLimited');
    assert.equal(message, 'PSI: no pressure figures');
    assert.match(await device.sure('edgepod check'), /^warn +PSI +no pressure figures/m);
  });

  test('pods run, and their figures come without pressure', async () => {
    await loadTiny(device);
    await apply(device, tinyPod('web'));
    await untilPod(device, 'web', running);
    assert.equal(await device.sure('ls /proc/pressure 2> /dev/null || :'), '');
  });
});
