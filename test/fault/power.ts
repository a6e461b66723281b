/**
 * Power cuts: takes the power of an emulated board at a chosen moment and boots the same disk again. QEMU is killed, so
 * nothing in the guest gets to say goodbye: what it had not brought to the disk by then is gone.
 *
 *   await cutPower(device, printed(/manifest accepted/), () => apply(device, pod));
 */
import type { Moment } from '../../image/qemu/moments.ts';
import type { Device } from '../arm/device.ts';

export { after, type Moment, printed, published } from '../../image/qemu/moments.ts';

/** Emulated boards are slow. */
const PATIENCE_MS = 300_000;

/**
 * Waits for the moment, cuts the power in it, and boots the disk again.
 * @param provoke what makes the moment come, started when it is watched for; its failure is none, since the power goes under it
 * @param whileOff done between the cut and the boot
 */
export async function cutPower(
  device: Device,
  moment: Moment,
  provoke: () => Promise<void>,
  whileOff: () => Promise<void> = async () => {},
): Promise<void> {
  const cut = device.machine.cutPowerAt(moment, PATIENCE_MS);
  const provoked = provoke().catch((error: unknown) => error);
  if (!(await cut)) throw new Error(`the board went off by itself before its power was cut: ${await provoked}`);
  await provoked;
  await whileOff();
  await device.powerCycle();
}
