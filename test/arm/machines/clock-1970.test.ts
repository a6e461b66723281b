/** No battery for the clock, and nobody to ask for the time: pods run; a broker behind TLS is away, and the reason is said. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { HOST_FROM_GUEST } from '../../../image/qemu/arguments.ts';
import { bootFile, putBootFile } from '../../../image/qemu/boot-partition.ts';
import { freePort } from '../../../image/qemu/machine.ts';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { type Mosquitto, startMosquitto } from '../../integration/mosquitto.ts';
import { makeCertificates, text } from '../certificates.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { nodeCondition } from '../node-condition.ts';
import { apply, loadTiny, podProcesses, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;
let encrypted: Mosquitto;
let dir: string;
let port = 0;

suite('clock at 1970', { timeout: 1_800_000 }, () => {
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'edgepod-clock-'));
    device = await Device.start(await imageUnderTest(), { shape: MACHINES['clock-1970']! });
    await device.online();
  });
  after(async () => {
    await device?.stop();
    await encrypted?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('the node and check say that the clock is not set', async () => {
    const { status, message } = await nodeCondition(device, 'BoardLimited');
    assert.equal(status, 'True');
    assert.match(message, /^clock: says \d{4}-.* this program was made/);
    assert.match(await device.sure('edgepod check'), /^warn +clock +says /m);
  });

  test('an image is loaded and a pod runs', async () => {
    await loadTiny(device);
    await apply(device, tinyPod('web'));
    await untilPod(device, 'web', running);
  });

  test('a broker behind TLS: its certificate is not valid yet by this clock, and log and check say so', async () => {
    await encryptedBroker();
    await device.machine.cutPower();
    const { ssh } = parse(bootFile(device.disk, 'edgepod.yaml')) as { ssh: object };
    const broker = { url: `mqtts://${HOST_FROM_GUEST}:${port}`, caFile: 'ca.pem' };
    putBootFile(device.disk, 'ca.pem', text(join(dir, 'ca.pem')));
    putBootFile(device.disk, 'edgepod.yaml', stringify({ device: device.name, broker, ssh }));
    await device.powerCycle();
    const log = () => device.ssh('journalctl -b -u edgepod -o cat');
    const said = /certificate is not yet valid: .*clock of this board, which says \d{4}-/;
    await device.until('the reason', async () => said.test((await log()).stdout), 300_000);
    assert.match(await device.sure('edgepod check'), /^warn +broker +mqtts:.*clock of this board, which says/m);
  });

  test('the pod runs all the same', async () => {
    await device.until('the pod', async () => /sleeper/.test(await podProcesses(device)));
  });

  test('once the clock is set the board is online, and the pod was never touched', async () => {
    const before = await podProcesses(device);
    await device.sure(`date -s @${Math.floor(Date.now() / 1000)}`);
    await device.until('the connection', async () => /New client connected/.test(encrypted.log()), 300_000);
    assert.equal(await podProcesses(device), before);
    assert.doesNotMatch(await device.sure('edgepod check'), /^warn +(clock|broker)/m);
  });
});

async function encryptedBroker(): Promise<void> {
  const { cert, key } = makeCertificates(dir, HOST_FROM_GUEST);
  port = await freePort();
  encrypted = await startMosquitto({ extra: `listener ${port} 127.0.0.1\ncertfile ${cert}\nkeyfile ${key}` });
}
