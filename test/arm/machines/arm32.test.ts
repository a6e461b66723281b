/** An image for 32-bit ARM on 64-bit boards: one whose processor has that mode, and one that does not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { MachineShape } from '../../../image/qemu/arguments.ts';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { debianTree } from '../../images/debian-tree.ts';
import { fileDigest, writeArchive } from '../../images/oci-writer.ts';
import type { Arch } from '../../images/programs.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { apply, untilPod } from '../tiny-pods.ts';

let work: string;
let archive: string;

suite('32-bit ARM images', { timeout: 1_800_000 }, () => {
  before(async () => {
    work = mkdtempSync('/var/tmp/edgepod-arm32-');
    archive = await busyboxImage();
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  const on = async (shape: MachineShape, look: (device: Device) => Promise<void>) => {
    const device = await Device.start(await imageUnderTest(), { shape });
    try {
      await device.online();
      await device.sure('cat > /run/arm32.tar', { input: archive });
      await look(device);
    } finally {
      await device.stop();
    }
  };

  test('run where the processor has a 32-bit mode, confined by the same rules', async () =>
    on(MACHINES.board!, async (device) => {
      assert.match(await device.sure('edgepod image load /run/arm32.tar'), /busybox/);
      // The applet that sets the clock needs a call the profile refuses, in either width.
      const script =
        'busybox uname -m; busybox date; busybox date -s 2030-01-01; echo "ended $?"; busybox file x; exit 0';
      await apply(device, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'old' },
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'c0', image: 'busybox', command: ['/bin/busybox', 'sh', '-c', script] }],
        },
      });
      const pod = await untilPod(device, 'old', ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ''));
      const { stdout } = await device.edgepod(['logs', 'old', '-d', device.name]);
      assert.equal(pod.status!.phase, 'Succeeded', stdout + JSON.stringify(pod.status));
      assert.match(stdout, /ended 1/);
    }));

  test('are refused where it has not, with the reason', async () =>
    on(MACHINES['64-bit-only']!, async (device) => {
      const { code, stderr } = await device.ssh('edgepod image load /run/arm32.tar');
      assert.equal(code, 1);
      assert.match(
        stderr,
        /image is for linux\/arm, this board is linux\/arm64 and its processor runs no 32-bit programs/,
      );
    }));
});

/** Debian's busybox for armhf, as an image. */
async function busyboxImage(): Promise<string> {
  const tree = join(work, 'tree');
  await debianTree({ packages: ['busybox-static'], arch: 'armhf' as Arch, target: tree, work });
  const layer = join(work, 'layer.tar');
  execFileSync('tar', ['-cf', layer, '--numeric-owner', '--exclude=./dev/*', '-C', tree, '.']);
  const layers = [{ path: layer, diffId: await fileDigest(layer), compress: 'none' as const }];
  const config = { Cmd: ['/bin/busybox', 'sh'], Env: ['PATH=/bin:/usr/bin'] };
  return writeArchive(join(work, 'busybox.tar'), 'oci', { name: 'busybox', arch: 'arm' as Arch, config, layers });
}
