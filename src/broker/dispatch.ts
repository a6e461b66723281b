import type { IPublishPacket } from 'mqtt';
import type { IncomingMessage, Route } from './ports.ts';
import { filterMatches } from './topics.ts';

/** Hands a message to every route that subscribes to its topic; false if none does. Throws what the route throws. */
export function dispatch(routes: readonly Route[], message: IncomingMessage): boolean {
  const takers = routes.filter(({ filters }) => filters.some((filter) => filterMatches(filter, message.topic)));
  for (const route of takers) route.handle(message);
  return takers.length > 0;
}

/** The part of a PUBLISH the agent cares about. The payload is a view on the receive buffer: copy it to keep it. */
export function incoming(packet: IPublishPacket, leftover: boolean): IncomingMessage {
  const { responseTopic, correlationData, userProperties } = packet.properties ?? {};
  return {
    topic: packet.topic.toString(),
    payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
    retained: packet.retain,
    leftover,
    userProperties: flatten(userProperties ?? {}),
    ...(responseTopic !== undefined && { responseTopic }),
    ...(correlationData !== undefined && { correlation: correlationData }),
  };
}

/** MQTT allows a user property several times; the first counts. */
function flatten(properties: Record<string, string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, [value].flat()[0] ?? '']));
}

/** Does an error ask for the message again (see Route.handle)? */
export function wantsRedelivery(error: unknown): boolean {
  return (error as { retry?: unknown } | undefined)?.retry === true;
}
