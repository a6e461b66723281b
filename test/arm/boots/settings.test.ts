/** A first-boot file that a person got wrong: the board boots, says what is wrong where it is looked for, and runs pods. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition } from '../node-condition.ts';
import { apply, loadTiny, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;

suite('first-boot files with errors', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest(), {
      settings: {
        hostname: 'Not A Name',
        brokr: { url: 'mqtt://x' },
        lan: { address: '10.0.2.15' },
        log: { level: 'loud' },
      },
    });
    await device.online();
  });
  after(() => device?.stop());

  const complaints = [
    /edgepod\.yaml:? +hostname: "Not A Name" is not a host name/,
    /edgepod\.yaml:? +brokr\.url: there is no such setting/,
    /edgepod\.yaml:? +lan\.address: .* is not an address with its prefix length/,
    /edgepod\.yaml:? +log\.level: /,
  ];

  test('each wrong setting is named on the console, in check and at the broker; the others hold', async () => {
    const check = await device.sure('edgepod check');
    const { message } = await nodeCondition(device, 'BoardLimited');
    for (const complaint of complaints) {
      assert.match(device.machine.console, complaint);
      assert.match(check, complaint);
      assert.match(message, complaint);
    }
    assert.match(await device.sure('hostname'), /^edgepod-[0-9a-f]{6}$/);
  });

  test('pods run', async () => {
    await loadTiny(device);
    await apply(device, tinyPod('web'));
    await untilPod(device, 'web', running);
  });
});
