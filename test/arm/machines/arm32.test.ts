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
      // A user namespace needs no right in the kernel: where it is refused, the profile did it.
      const script = 'busybox grep ^Seccomp: /proc/self/status; busybox unshare -U busybox true; echo "ended $?"';
      const container = (name: string, securityContext: object) => ({
        name,
        image: 'busybox',
        command: ['/bin/busybox', 'sh', '-c', script],
        securityContext,
      });
      const containers = [container('usual', {}), container('free', { seccompProfile: { type: 'Unconfined' } })];
      const spec = { restartPolicy: 'Never', containers };
      await apply(device, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'old' }, spec });
      const pod = await untilPod(device, 'old', ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ''));
      assert.equal(pod.status!.phase, 'Succeeded', JSON.stringify(pod.status));
      const log = async (name: string) => (await device.edgepod(['logs', 'old', '-d', device.name, '-c', name])).stdout;
      assert.match(await log('usual'), /Seccomp:\s2\n[\s\S]*not permitted\n[\s\S]*ended 1/);
      assert.match(await log('free'), /Seccomp:\s0\n[\s\S]*ended 0/);
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
  await debianTree({ packages: ['busybox-static'], arch: 'armhf', target: tree, work });
  const layer = join(work, 'layer.tar');
  execFileSync('tar', ['-cf', layer, '--numeric-owner', '--exclude=./dev/*', '-C', tree, '.']);
  const layers = [{ path: layer, diffId: await fileDigest(layer), compress: 'none' as const }];
  const config = { Cmd: ['/bin/busybox', 'sh'], Env: ['PATH=/bin:/usr/bin'] };
  return writeArchive(join(work, 'busybox.tar'), 'oci', { name: 'busybox', arch: 'arm', config, layers });
}
