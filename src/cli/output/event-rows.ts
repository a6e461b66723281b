/** An event as one line of `get events`, or of `describe pod`. */
import type { DeviceEvent } from '../../client/events.ts';
import { age } from './age.ts';
import { table } from './table.ts';

export interface EventColumns {
  devices: boolean;
  namespaces: boolean;
  wide: boolean;
}

export function eventHeadings({ devices, namespaces, wide }: EventColumns): string[] {
  return [
    ...(devices ? ['DEVICE'] : []),
    ...(namespaces ? ['NAMESPACE'] : []),
    ...['LAST SEEN', 'TYPE', 'REASON', 'OBJECT'],
    ...(wide ? ['SUBOBJECT', 'COUNT', 'NAME'] : []),
    'MESSAGE',
  ];
}

export function eventRow(event: DeviceEvent, { devices, namespaces, wide }: EventColumns): string[] {
  const { metadata, involvedObject, type, reason, message, count, lastTimestamp, source } = event;
  return [
    ...(devices ? [source.host] : []),
    ...(namespaces ? [metadata.namespace] : []),
    ...[age(lastTimestamp), type, reason, `${involvedObject.kind.toLowerCase()}/${involvedObject.name}`],
    ...(wide ? [involvedObject.fieldPath ?? '', String(count), metadata.name] : []),
    oneLine(message),
  ];
}

/** The end of `describe pod`. `events` may be the reason why there are none to be had. */
export function describeEvents(events: readonly DeviceEvent[] | string): string {
  if (typeof events === 'string') return `Events:         <unknown: ${events}>\n`;
  if (events.length === 0) return 'Events:         <none>\n';
  const rows = events.map(({ type, reason, lastTimestamp, count, involvedObject, message }) => {
    const times = count > 1 ? ` (x${count})` : '';
    const container = /\{(.+)\}$/.exec(involvedObject.fieldPath ?? '')?.[1];
    return [type, reason, `${age(lastTimestamp)}${times}`, container ?? '', oneLine(message)];
  });
  const lines = table(['Type', 'Reason', 'Age', 'Container', 'Message'], rows).trimEnd().split('\n');
  return `Events:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, ' ').trim();
