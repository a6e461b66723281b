/** A first-boot file that a person got wrong: the board boots, says what is wrong where it is looked for, and runs pods. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { bootFile, putBootFile } from '../../../image/qemu/boot-partition.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition } from '../node-condition.ts';
import { apply, loadTiny, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;
/** What the board's own file said: broker, SSH key. */
let usual: Record<string, object>;

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
    usual = parse(bootFile(device.disk, 'edgepod.yaml')) as Record<string, object>;
    await device.online();
  });
  after(() => device?.stop());

  const complaints = [
    /edgepod\.yaml:? +hostname: "Not A Name" is not a host name/,
    /edgepod\.yaml:? +brokr\.url: there is no such setting/,
    /edgepod\.yaml:? +lan\.address: .* is not an address of a host with its prefix length/,
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

  const files: [what: string, text: () => string, complaint: RegExp][] = [
    ['no YAML at all', () => 'device: [board\n\tbroker', /edgepod\.yaml: is not YAML/],
    [
      'certificates that are not there',
      () => stringify({ ...usual, broker: { ...usual.broker, caFile: 'ca.pem', certFile: 'c.pem', keyFile: 'k.pem' } }),
      /edgepod\.yaml: broker\.caFile: \/boot\/firmware\/ca\.pem: ENOENT/,
    ],
  ];
  for (const [what, text, complaint] of files)
    test(`${what}: the console says so, and the agent runs its pods without starting over`, async () => {
      await device.machine.cutPower();
      putBootFile(device.disk, 'edgepod.yaml', text());
      await device.powerCycle();
      await device.machine.printed(complaint, 300_000);
      await device.machine.printed(/"event":"agent\.ready","pods":\d+/, 300_000);
      await device.machine.printed(/login:/, 300_000);
      assert.equal(device.machine.console.match(/"event":"agent\.ready"/g)?.length, 1);
      assert.doesNotMatch(device.machine.console, /Failed to start|Failed with result/);
    });
});
