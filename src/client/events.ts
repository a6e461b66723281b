/** Events, asked of the devices that are there: the broker retains none. */
import type { Fleet } from './fleet.ts';
import { jsonObject } from './json.ts';
import { call } from './rpc.ts';

/** A v1 Event as a device publishes it. */
export interface DeviceEvent {
  metadata: { name: string; namespace: string };
  involvedObject: { kind: string; namespace: string; name: string; uid?: string; fieldPath?: string };
  type: string;
  reason: string;
  message: string;
  count: number;
  lastTimestamp: string;
  source: { component: string; host: string };
  seq: number;
}

export interface EventQuery {
  kind?: string;
  namespace?: string;
  name?: string;
}

/** The event in a message of a device; undefined for anything else. */
export function deviceEvent(payload: Buffer): DeviceEvent | undefined {
  const event = jsonObject(payload) as Partial<DeviceEvent> | undefined;
  const isOne = event?.metadata && event.involvedObject && typeof event.lastTimestamp === 'string';
  return isOne ? (event as DeviceEvent) : undefined;
}

/** What the device remembers, oldest first. @throws RpcError, ConnectError when it does not answer */
export async function recentEvents(fleet: Fleet, device: string, query: EventQuery): Promise<DeviceEvent[]> {
  const found: DeviceEvent[] = [];
  for await (const piece of call(fleet, device, 'events', query))
    found.push(...(piece as { events: DeviceEvent[] }).events);
  return found;
}
