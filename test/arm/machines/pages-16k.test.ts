/** A kernel with pages of 16 KiB, as a Raspberry Pi 5 has it, on a processor of that kind. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { demoImage } from '../../images/demo-images.ts';
import { shellPod } from '../../integration/board/pods.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { apply, loadTiny, running, tinyPod, untilPod } from '../tiny-pods.ts';

let device: Device;
let work: string;

suite('pages of 16 KiB', { timeout: 3_600_000 }, () => {
  before(async () => {
    work = mkdtempSync(join(tmpdir(), 'edgepod-16k-'));
    const shape = MACHINES['pages-16k']!;
    device = await Device.start(await imageUnderTest(shape.kernel), { shape });
    await device.online();
  });
  after(async () => {
    await device?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  test('agent, runner and a pod', async () => {
    assert.equal(await device.sure('getconf PAGESIZE'), '16384');
    assert.doesNotMatch(await device.sure('edgepod check'), /^fail/m);
    await loadTiny(device);
    await apply(device, tinyPod('web'));
    await untilPod(device, 'web', running);
  });

  test('memory is told, and limited, in bytes that are pages of this size', async () => {
    const limits = { memory: '20Mi' };
    await apply(device, tinyPod('limited', { container: { resources: { limits } } }));
    await untilPod(device, 'limited', running);
    const cgroup =
      'dirname $(grep -rl . /sys/fs/cgroup/edgepod --include=memory.max | xargs grep -l 20971520 | head -1)';
    assert.equal(Number(await device.sure(`cat $(${cgroup})/memory.max`)) % 16_384, 0);
    const told = await device.until('figures', async () => {
      const { code, stdout } = await device.edgepod(['top', 'pods', '-d', device.name]);
      return (code === 0 && /^limited\s+\S+\s+(\d+)([KM]i)/m.exec(stdout)) || false;
    });
    const bytes = Number(told[1]) * (told[2] === 'Mi' ? 1 << 20 : 1 << 10);
    assert.ok(bytes > 0 && bytes < 20 << 20, told[0]);
  });

  test('a pod of Debian’s own programs, which are made for every page size', async () => {
    await device.sure('cat > /run/debian.tar', {
      input: await demoImage('debian', { arch: 'arm64' }),
      patienceMs: 600_000,
    });
    await device.sure('edgepod image load /run/debian.tar && rm /run/debian.tar', { patienceMs: 600_000 });
    await apply(
      device,
      shellPod('job', [{ sh: 'getconf PAGESIZE; test "$(getconf PAGESIZE)" = 16384' }], { restartPolicy: 'Never' }),
    );
    const pod = await untilPod(device, 'job', ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ''));
    assert.equal(pod.status?.phase, 'Succeeded');
  });
});
