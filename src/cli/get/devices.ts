/** `get devices`: who has reported, and how they are. */
import type { Device, Fleet } from '../../client/fleet.ts';
import { deviceTopic } from '../../client/topics.ts';
import { deviceHeadings, deviceRow } from '../output/device-rows.ts';
import { printObjects } from '../output/print.ts';
import { table } from '../output/table.ts';
import { complainOfMissing, type GetQuery } from './flags.ts';
import { lastLine, watch } from './watch.ts';

export async function getDevices(fleet: Fleet, { names, flags, format }: GetQuery): Promise<void> {
  const only = flags.device ? [...names, flags.device] : names;
  const wanted = ({ name }: Device) => only.length === 0 || only.includes(name);
  const found = (await fleet.devices()).filter(wanted);
  complainOfMissing(
    'devices',
    only,
    found.map(({ name }) => name),
  );
  const wide = format === 'wide';
  const node = (device: Device) => ({ ...device.node, presence: device.presence });
  if (format === 'json' || format === 'yaml') await printObjects(found.map(node), format, only.length === 1);
  else if (found.length > 0 || flags.watch)
    process.stdout.write(
      table(
        deviceHeadings(wide),
        found.map((device) => deviceRow(device, wide)),
      ),
    );
  else if (only.length === 0) process.stderr.write('No devices have reported to this broker.\n');
  if (!flags.watch) return;
  const rows = found.map((device) => deviceRow(device, wide));
  await watch(fleet, deviceTopic(fleet.prefix, '+', 'presence'), async () => {
    for (const device of (await fleet.devices()).filter(wanted)) {
      if (format === 'json' || format === 'yaml') await printObjects([node(device)], format, true);
      else {
        rows.push(deviceRow(device, wide));
        process.stdout.write(lastLine(table(deviceHeadings(wide), rows)));
      }
    }
  });
}
