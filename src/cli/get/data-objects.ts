/** `get configmaps` and `get secrets`: what devices are to have, as the broker retains it. Values only in json and yaml. */
import { type DesiredObject, desiredFilters, desiredObject, desiredObjects } from '../../client/desired-objects.ts';
import type { Fleet } from '../../client/fleet.ts';
import { age } from '../output/age.ts';
import { complainOfMissing, type GetQuery, sayNothingFound } from './flags.ts';
import { Listing } from './listing.ts';
import { watch } from './watch.ts';

type DataKind = 'configmaps' | 'secrets';

export async function getDataObjects(fleet: Fleet, kind: DataKind, query: GetQuery): Promise<void> {
  const { names, flags } = query;
  const where = { device: flags.device, namespace: flags.allNamespaces ? '+' : flags.namespace };
  const wanted = ({ object }: DesiredObject) => names.length === 0 || names.includes(object.metadata.name);
  const found = (await desiredObjects(fleet, kind, where)).filter(wanted);
  complainOfMissing(
    kind,
    names,
    found.map(({ object }) => object.metadata.name),
    flags.device,
  );
  const columns = { kind, namespaces: flags.allNamespaces === true };
  const listing = new Listing<DesiredObject>(query, {
    headings: dataHeadings(columns),
    row: (desired) => dataRow(desired, columns),
    object: ({ object }) => object,
    sayNone: () => sayNothingFound(flags),
  });
  await listing.all(found);
  if (!flags.watch) return;
  await watch(fleet, desiredFilters(fleet.prefix, kind, where), async (message) => {
    const desired = desiredObject(fleet.prefix, message);
    if (desired && wanted(desired)) await listing.one(desired);
  });
}

interface DataColumns {
  kind: DataKind;
  namespaces: boolean;
}

export function dataHeadings({ kind, namespaces }: DataColumns): string[] {
  return [
    ...(namespaces ? ['NAMESPACE'] : []),
    'NAME',
    ...(kind === 'secrets' ? ['TYPE'] : []),
    'DATA',
    'AGE',
    'SOURCE',
  ];
}

export function dataRow({ source, object }: DesiredObject, { kind, namespaces }: DataColumns): string[] {
  const { metadata, type = 'Opaque', data, stringData, binaryData } = object;
  const keys = new Set([data, stringData, binaryData].flatMap((map) => Object.keys(map ?? {})));
  return [
    ...(namespaces ? [metadata.namespace] : []),
    metadata.name,
    ...(kind === 'secrets' ? [type] : []),
    String(keys.size),
    age(metadata.creationTimestamp),
    source,
  ];
}
