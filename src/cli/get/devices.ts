/** `get devices`: who has reported, and how they are. */
import type { Device, Fleet } from '../../client/fleet.ts';
import { deviceOf, deviceTopic } from '../../client/topics.ts';
import { deviceHeadings, deviceRow } from '../output/device-rows.ts';
import { complainOfMissing, type GetQuery } from './flags.ts';
import { Listing } from './listing.ts';
import { watch } from './watch.ts';

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
  const listing = new Listing<Device>(
    { names: only, flags, format },
    {
      headings: deviceHeadings(wide),
      row: (device) => deviceRow(device, wide),
      object: nodeOf,
      sayNone: () => process.stderr.write('No devices have reported to this broker.\n'),
    },
  );
  await listing.all(found);
  if (!flags.watch) return;
  await watch(fleet, deviceTopic(fleet.prefix, '+', 'presence'), async ({ topic }) => {
    const changed = deviceOf(fleet.prefix, topic);
    for (const device of await fleet.devices())
      if (device.name === changed && wanted(device)) await listing.one(device);
  });
}

/** The Node object a device publishes, with its presence; one that has only ever been away has no more than a name. */
function nodeOf({ name, node, presence }: Device): object {
  return { ...(node ?? { apiVersion: 'v1', kind: 'Node', metadata: { name } }), presence };
}
