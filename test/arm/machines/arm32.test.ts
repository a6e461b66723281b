/** An image for 32-bit ARM on 64-bit boards: one whose processor has that mode, and one that does not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { MachineShape } from '../../../image/qemu/arguments.ts';
import { MACHINES } from '../../../image/qemu/machines.ts';
import { writeArchive } from '../../images/oci-writer.ts';
import { tar } from '../../images/tar-writer.ts';
import { writeLayer } from '../../images/tiny.ts';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';
import { apply, untilPod } from '../tiny-pods.ts';

let work: string;
let archive: string;

suite('32-bit ARM images', { timeout: 1_800_000 }, () => {
  before(async () => {
    work = mkdtempSync(join(tmpdir(), 'edgepod-arm32-'));
    const program = tar([{ name: 'bin/' }, { name: 'bin/unshare', mode: 0o755, data: unshareProgram() }]);
    const layers = [writeLayer(join(work, 'layer'), program, 'none')];
    archive = await writeArchive(join(work, 'old.tar'), 'oci', { name: 'old', arch: 'arm', config: {}, layers });
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
      assert.match(await device.sure('edgepod image load /run/arm32.tar'), /old/);
      const container = (name: string, seccompProfile: object) => ({
        name,
        image: 'old',
        command: ['/bin/unshare'],
        securityContext: { seccompProfile },
      });
      const containers = [container('usual', { type: 'RuntimeDefault' }), container('free', { type: 'Unconfined' })];
      const spec = { restartPolicy: 'Never', containers };
      await apply(device, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'old' }, spec });
      const pod = await untilPod(device, 'old', ({ status }) => /Succeeded|Failed/.test(status?.phase ?? ''));
      const codes = pod.status!.containerStatuses.map(({ name, state }) => [name, state.terminated?.exitCode]);
      assert.deepEqual(Object.fromEntries(codes), { usual: EPERM, free: 0 });
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

const EPERM = 1;

/**
 * A program that makes itself a user namespace and exits with the error number. The kernel asks for no right there: where it
 * is refused, the seccomp profile did it, by the numbers of 32-bit system calls.
 */
function unshareProgram(): Buffer {
  const base = 0x10000;
  const headers = 52 + 32;
  const code = [
    0xe3a00201, // mov r0, #CLONE_NEWUSER
    0xe3007151, // movw r7, #337: unshare
    0xef000000, // svc 0
    0xe2600000, // rsb r0, r0, #0
    0xe3a07001, // mov r7, #1: exit
    0xef000000, // svc 0
  ];
  const size = headers + 4 * code.length;
  const [executable, arm, eabi5, loaded, readAndExecute] = [2, 40, 0x05000000, 1, 5];
  const words = [
    ...[0x464c457f, 0x00010101, 0, 0, (arm << 16) | executable, 1, base + headers, 52, 0, eabi5, (32 << 16) | 52, 1, 0],
    ...[loaded, 0, base, base, size, size, readAndExecute, base],
    ...code,
  ];
  return Buffer.from(new Uint32Array(words).buffer);
}
