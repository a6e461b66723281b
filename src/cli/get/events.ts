/** `get events`: what happened on devices lately; asked of them, since the broker retains no events. */
import { type DeviceEvent, type EventQuery, recentEvents } from '../../client/events.ts';
import type { Fleet } from '../../client/fleet.ts';
import { deviceTopic } from '../../client/topics.ts';
import { CommandError } from '../failure.ts';
import { kindOf } from '../kinds.ts';
import { type EventColumns, eventHeadings, eventRow } from '../output/event-rows.ts';
import { printObjects } from '../output/print.ts';
import { table } from '../output/table.ts';
import { type GetFlags, type GetQuery, sayNothingFound } from './flags.ts';
import { lastLine, watch } from './watch.ts';

/** As events name the kinds they are about. */
const INVOLVED: Partial<Record<string, string>> = { pods: 'Pod', configmaps: 'ConfigMap', secrets: 'Secret' };

export async function getEvents(fleet: Fleet, { names, flags, format }: GetQuery): Promise<void> {
  const query = eventQuery(flags);
  const wanted = (event: DeviceEvent) =>
    (names.length === 0 || names.includes(event.metadata.name)) && matches(event, query);
  const found = (await eventsOfAll(fleet, flags.device, query)).filter(wanted);
  const columns: EventColumns = {
    devices: flags.device === undefined,
    namespaces: flags.allNamespaces === true,
    wide: format === 'wide',
  };
  const rows = found.map((event) => eventRow(event, columns));
  if (format === 'json' || format === 'yaml') await printObjects(found, format, names.length === 1);
  else if (found.length > 0 || flags.watch) process.stdout.write(table(eventHeadings(columns), rows));
  else sayNothingFound(flags);
  if (!flags.watch) return;
  await watch(fleet, deviceTopic(fleet.prefix, flags.device ?? '+', 'events'), async ({ payload }) => {
    const event = JSON.parse(payload.toString()) as DeviceEvent;
    if (!wanted(event)) return;
    if (format === 'json' || format === 'yaml') return printObjects([event], format, true);
    rows.push(eventRow(event, columns));
    process.stdout.write(lastLine(table(eventHeadings(columns), rows)));
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
