/** The device image that test files boot: what the runner made (EDGEPOD_DEVICE_IMAGE), or made now. */
import { type DeviceImage, deviceImage } from '../../image/device-image.ts';

export async function imageUnderTest(kernel?: string): Promise<DeviceImage> {
  const progress = (line: string) => process.stderr.write(`image: ${line}\n`);
  // The same package in an image with another kernel.
  if (kernel !== undefined) return deviceImage({ kernel, progress });
  const given = process.env.EDGEPOD_DEVICE_IMAGE;
  if (given !== undefined) return JSON.parse(given) as DeviceImage;
  return deviceImage({ progress });
}
