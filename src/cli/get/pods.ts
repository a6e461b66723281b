/** `get pods`: what devices last reported. */
import type { DevicePod, Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { warnOfStranger } from '../absence.ts';
import { type PodColumns, podHeadings, podRow } from '../output/pod-rows.ts';
import { complainOfMissing, type GetQuery, sayNothingFound } from './flags.ts';
import { Listing } from './listing.ts';
import { watch } from './watch.ts';

export async function getPods(fleet: Fleet, query: GetQuery): Promise<void> {
  const { names, flags, format } = query;
  const namespace = flags.allNamespaces ? '+' : flags.namespace;
  const device = flags.device ?? '+';
  const wanted = ({ pod }: DevicePod) => names.length === 0 || names.includes(pod.metadata.name);
  const found = (await fleet.pods({ device, namespace })).filter(wanted);
  complainOfMissing(
    'pods',
    names,
    found.map(({ pod }) => pod.metadata.name),
    flags.device,
  );
  const columns: PodColumns = {
    wide: format === 'wide',
    namespaces: flags.allNamespaces === true,
    devices: flags.device === undefined,
  };
  const listing = new Listing<DevicePod>(query, {
    headings: podHeadings(columns),
    row: (pod) => podRow(pod, columns),
    object: ({ pod }) => pod,
    sayNone: () => sayNothingFound(flags),
  });
  await listing.all(found);
  if (found.length === 0 && flags.device !== undefined) await warnOfStranger(fleet, flags.device);
  if (!flags.watch) return;
  await watch(fleet, podStatusTopic(fleet.prefix, device, namespace, '+'), async (message) => {
    const pod = fleet.podOf(message);
    if (pod && wanted(pod)) await listing.one(pod);
  });
}
