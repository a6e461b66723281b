/** A board that loses its power in the middle of an apply: the manifest was acknowledged, so the pod runs after the boot. */
import assert from 'node:assert/strict';
import { after, afterEach, before, suite, test } from 'node:test';
import { Device } from '../arm/device.ts';
import { imageUnderTest } from '../arm/image.ts';
import { apply, loadTiny, podNow, podProcesses, running, tinyPod, untilPod } from '../arm/tiny-pods.ts';
import { cutPower, type Moment, printed, published } from './power.ts';

let device: Device;

suite('power cuts', { timeout: 1_800_000 }, () => {
  before(async () => {
    device = await Device.start(await imageUnderTest());
    await device.online();
    await loadTiny(device);
  });
  after(() => device?.stop());
  afterEach(async () => {
    assert.doesNotMatch(await device.sure('dmesg'), /EXT4-fs error|I\/O error/);
  });

  const status = 'edgepod/devices/arm-board/status/pods/default/';
  const moments: [pod: string, when: string, moment: (pod: string) => Moment][] = [
    ['accepted', 'the agent has logged that it took the manifest', () => printed(/"event":"intake","action":"put"/)],
    ['told', 'the first status is published', (pod) => published(device.mosquitto.url, status + pod)],
  ];
  for (const [pod, when, moment] of moments)
    test(`cut when ${when}: after the boot the pod runs`, async () => {
      // The broker forgets what it retained: only what the board has on its own disk counts.
      const forget = () => device.mosquitto.restart();
      await cutPower(device, moment(pod), () => apply(device, tinyPod(pod)), forget);
      await device.online();
      await untilPod(device, pod, running);
      assert.match(await podProcesses(device), /sleeper/);
      assert.match(await device.sure('edgepod image list'), /tiny/);
    });

  test('cut while a running pod is deleted: after the boot it is gone, and the other one runs', async () => {
    const desired = 'edgepod/devices/arm-board/desired/pods/default/told';
    await cutPower(device, published(device.mosquitto.url, desired), async () => {
      await device.edgepod(['delete', 'pod', 'told', '-d', device.name]);
    });
    await device.online();
    await device.until('the pod to go', async () => (await podNow(device, 'told')) === undefined);
    await untilPod(device, 'accepted', running);
    await device.until('one pod', async () => (await podProcesses(device)).match(/sleeper/g)?.length === 1);
  });
});
