/** What is desired besides pods, as the broker retains it. */
import { parseManifestSync } from '../manifest/parse.ts';
import type { ObjectMeta } from '../manifest/types/metadata.ts';
import type { Fleet, Message } from './fleet.ts';
import type { DesiredKind } from './topics.ts';

/** As published: not validated, and with whatever fields it has. */
export interface DataObject {
  metadata: ObjectMeta;
  type?: string;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export interface DesiredObject {
  /** `device/board-7` or `group/canary`. */
  source: string;
  object: DataObject;
}

const GROUP_LABEL = 'groups.edgepod.io/';

/**
 * The objects of one kind that `device` is to have: its own, and those of its groups that it has none of its own for.
 * Without a device, everything that any device or group is to have. Tombstones are left out.
 */
export async function desiredObjects(
  fleet: Fleet,
  kind: DesiredKind,
  { device, namespace }: { device?: string | undefined; namespace: string },
): Promise<DesiredObject[]> {
  const messages = await fleet.retained(desiredFilters(fleet.prefix, kind, { device, namespace }));
  const found = messages.flatMap((message) => desiredObject(fleet.prefix, message) ?? []);
  const groups = device === undefined ? undefined : await groupsOf(fleet, device);
  return found
    .filter(({ source, object }) => {
      if (groups === undefined || !source.startsWith('group/')) return true;
      const own = found.some((other) => other.source.startsWith('device/') && sameName(other.object, object));
      return groups.includes(source.slice('group/'.length)) && !own;
    })
    .sort((a, b) => sortKey(a).localeCompare(sortKey(b)));
}

/** The topics whose messages `desiredObject` reads. */
export function desiredFilters(
  prefix: string,
  kind: DesiredKind,
  { device, namespace }: { device?: string | undefined; namespace: string },
): string[] {
  return [
    `${prefix}/devices/${device ?? '+'}/desired/${kind}/${namespace}/+`,
    `${prefix}/groups/+/desired/${kind}/${namespace}/+`,
  ];
}

/** Undefined for a tombstone, and for what is no object. Namespace and name are the topic's. */
export function desiredObject(prefix: string, { topic, payload }: Message): DesiredObject | undefined {
  const [level, owner, desired, , namespace, name] = topic.slice(prefix.length + 1).split('/');
  if (desired !== 'desired' || namespace === undefined || name === undefined) return undefined;
  const parsed = parseManifestSync(payload);
  const object = ('objects' in parsed ? parsed.objects[0] : undefined) as DataObject | undefined;
  if (typeof object?.metadata !== 'object' || object.metadata.deletionTimestamp !== undefined) return undefined;
  const source = `${level === 'groups' ? 'group' : 'device'}/${owner}`;
  return { source, object: { ...object, metadata: { ...object.metadata, namespace, name } } };
}

async function groupsOf(fleet: Fleet, device: string): Promise<string[]> {
  const node = (await fleet.devices()).find(({ name }) => name === device)?.node;
  const { labels = {} } = (node?.metadata ?? {}) as { labels?: Record<string, string> };
  return Object.keys(labels).flatMap((label) => (label.startsWith(GROUP_LABEL) ? label.slice(GROUP_LABEL.length) : []));
}

const sameName = (a: DataObject, b: DataObject) =>
  a.metadata.namespace === b.metadata.namespace && a.metadata.name === b.metadata.name;

const sortKey = ({ source, object: { metadata } }: DesiredObject) =>
  `${metadata.namespace}\0${metadata.name}\0${source}`;
