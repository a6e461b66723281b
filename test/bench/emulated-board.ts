/** The benchmark on an emulated arm64 board, against Debian's podman, crun and runc installed there for it. */

import { Device } from '../arm/device.ts';
import { installPackages, nodeInGuest, prepareGuest } from '../arm/guest-suite.ts';
import { imageUnderTest } from '../arm/image.ts';
import { suiteDisk } from '../arm/suite-disk.ts';

export const PEERS = ['podman', 'crun', 'runc', 'conmon', 'catatonit'];
/** Room for the peers' images beside ours. */
const DISK_MIB = 8192;
/** The emulation of minutes. */
const PATIENCE_MS = 3_600_000;

/** Runs bench.ts on the board, which prints as it goes. Throws when the board or the benchmark fails. */
export async function benchOnBoard(rounds: number): Promise<void> {
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const image = await imageUnderTest();
  const disk = await suiteDisk(progress, { packages: PEERS });
  const device = await Device.start(image, { extraDisks: [disk], diskMiB: DISK_MIB });
  try {
    await device.online();
    await prepareGuest(device);
    progress('installing the peers on the board');
    await installPackages(device);
    await benchIn(device, rounds);
  } finally {
    await device.stop();
  }
}

/** On a board that has the peers. */
export async function benchIn(device: Device, rounds: number): Promise<void> {
  // The board's own agent would take part in what is measured, and its root has no room for images.
  const data = '/var/lib/edgepod/bench';
  await device.sure(`systemctl stop edgepod && mkdir -p ${data} && mount --bind ${data} /var/tmp`);
  const { code } = await nodeInGuest(device, ['test/bench/bench.ts', '--rounds', String(rounds)], {
    environment: { EDGEPOD_BENCH_EMULATED: '1' },
    patienceMs: PATIENCE_MS,
  });
  if (code !== 0) throw new Error(`the benchmark on the board ended with ${code}`);
}
