/** The device image that test files boot: what the runner made (EDGEPOD_DEVICE_IMAGE), or made now. */
import { type DeviceImage, deviceImage } from '../../image/device-image.ts';

export async function imageUnderTest(): Promise<DeviceImage> {
  const given = process.env.EDGEPOD_DEVICE_IMAGE;
  if (given !== undefined) return JSON.parse(given) as DeviceImage;
  return deviceImage({ progress: (line) => process.stderr.write(`image: ${line}\n`) });
}
