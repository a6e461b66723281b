/** `get events`: what happened on devices lately; asked of them, since the broker retains no events. */
import { type DeviceEvent, deviceEvent, type EventQuery, recentEvents } from '../../client/events.ts';
import type { Fleet } from '../../client/fleet.ts';
import { deviceTopic } from '../../client/topics.ts';
import { CommandError } from '../failure.ts';
import { kindOf } from '../kinds.ts';
import { type EventColumns, eventHeadings, eventRow } from '../output/event-rows.ts';
import { type GetFlags, type GetQuery, sayNothingFound } from './flags.ts';
import { Listing } from './listing.ts';
import { watch } from './watch.ts';

/** As events name the kinds they are about. */
const INVOLVED: Partial<Record<string, string>> = { pods: 'Pod', configmaps: 'ConfigMap', secrets: 'Secret' };

export async function getEvents(fleet: Fleet, query: GetQuery): Promise<void> {
  const { names, flags, format } = query;
  const about = eventQuery(flags);
  const wanted = (event: DeviceEvent) =>
    (names.length === 0 || names.includes(event.metadata.name)) && matches(event, about);
  const found = (await eventsOfAll(fleet, flags.device, about)).filter(wanted);
  const columns: EventColumns = {
    devices: flags.device === undefined,
    namespaces: flags.allNamespaces === true,
    wide: format === 'wide',
  };
  const listing = new Listing<DeviceEvent>(query, {
    headings: eventHeadings(columns),
    row: (event) => eventRow(event, columns),
    object: (event) => event,
    sayNone: () => sayNothingFound(flags),
  });
  await listing.all(found);
  if (!flags.watch) return;
  await watch(fleet, deviceTopic(fleet.prefix, flags.device ?? '+', 'events'), async ({ payload }) => {
    const event = deviceEvent(payload);
    if (event && wanted(event)) await listing.one(event);
  });
}

function eventQuery({ for: about, allNamespaces, namespace }: GetFlags): EventQuery {
  const within = allNamespaces ? {} : { namespace };
  if (about === undefined) return within;
  const [word = '', name, ...rest] = about.split('/');
  const kind = INVOLVED[kindOf(word) ?? ''];
  if (kind === undefined || !name || rest.length > 0)
    throw new CommandError(`--for ${about}: say which object, like pod/web`);
  return { ...within, kind, name };
}

function matches({ involvedObject }: DeviceEvent, query: EventQuery): boolean {
  return (['kind', 'namespace', 'name'] as const).every(
    (key) => query[key] === undefined || involvedObject[key] === query[key],
  );
}

/** Of one device, or of every one that is there; others are named on standard error. */
async function eventsOfAll(fleet: Fleet, device: string | undefined, query: EventQuery): Promise<DeviceEvent[]> {
  if (device !== undefined) return recentEvents(fleet, device, query);
  const found: DeviceEvent[] = [];
  await Promise.all(
    (await fleet.devices()).map(async ({ name, presence }) => {
      if (presence?.state !== 'online') process.stderr.write(`Warning: ${name} is away: its events are not shown\n`);
      else
        await recentEvents(fleet, name, query).then(
          (events) => found.push(...events),
          (error: Error) => process.stderr.write(`Warning: ${name}: ${error.message}\n`),
        );
    }),
  );
  return found.sort((a, b) => a.lastTimestamp.localeCompare(b.lastTimestamp) || a.seq - b.seq);
}
