/** `get pods`: what devices last reported. */
import type { LocalPods } from '../../agent/local/pods.ts';
import { byDeviceAndName, type DevicePod, type Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { warnOfStranger } from '../absence.ts';
import { type PodColumns, podHeadings, podRow } from '../output/pod-rows.ts';
import { complainOfMissing, type GetQuery, sayNothingFound } from './flags.ts';
import { Listing } from './listing.ts';
import { watch } from './watch.ts';

export async function getPods(fleet: Fleet, query: GetQuery): Promise<void> {
  const { flags } = query;
  const namespace = flags.allNamespaces ? '+' : flags.namespace;
  const device = flags.device ?? '+';
  const { listing, found } = await list(await fleet.pods({ device, namespace }), query);
  if (found.length === 0 && flags.device !== undefined) await warnOfStranger(fleet, flags.device);
  if (!flags.watch) return;
  await watch(fleet, podStatusTopic(fleet.prefix, device, namespace, '+'), async (message) => {
    const pod = fleet.podOf(message);
    if (pod && isWanted(pod, query)) await listing.one(pod);
  });
}

/** Of this board, from its own files. */
export async function getLocalPods(local: LocalPods, query: GetQuery): Promise<void> {
  const pods = local.pods(query.flags.allNamespaces ? undefined : query.flags.namespace);
  await list(pods.sort(byDeviceAndName), query);
}

const isWanted = ({ pod }: DevicePod, { names }: GetQuery) => names.length === 0 || names.includes(pod.metadata.name);

/** Prints those that were asked for, and complains of those that are not there. */
async function list(pods: DevicePod[], query: GetQuery): Promise<{ listing: Listing<DevicePod>; found: DevicePod[] }> {
  const { names, flags, format } = query;
  const found = pods.filter((pod) => isWanted(pod, query));
  complainOfMissing(
    'pods',
    names,
    found.map(({ pod }) => pod.metadata.name),
    flags.device,
  );
  const columns: PodColumns = {
    wide: format === 'wide',
    namespaces: flags.allNamespaces === true,
    devices: flags.device === undefined && flags.local !== true,
  };
  const listing = new Listing<DevicePod>(query, {
    headings: podHeadings(columns),
    row: (pod) => podRow(pod, columns),
    object: ({ pod }) => pod,
    sayNone: () => sayNothingFound(flags),
  });
  await listing.all(found);
  return { listing, found };
}
