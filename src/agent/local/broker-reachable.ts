/** Whether the broker can be reached, for `edgepod check`: a connection, and over TLS a handshake; nothing is said to it. */
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { withHint } from '../../broker/refusal.ts';
import type { AgentConfig } from '../config/config.ts';

type BrokerConfig = AgentConfig['broker'];

const PORTS: Record<string, number> = {
  'mqtt:': 1883,
  'tcp:': 1883,
  'mqtts:': 8883,
  'ssl:': 8883,
  'ws:': 80,
  'wss:': 443,
};
const ENCRYPTED = ['mqtts:', 'ssl:', 'wss:'];
const PATIENCE_MS = 5000;

/** Why it cannot be, and what to do about it; undefined when it can. */
export async function brokerFault(broker: BrokerConfig): Promise<string | undefined> {
  const { hostname, port, protocol } = new URL(broker.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const place = { host, port: Number(port) || (PORTS[protocol] ?? 1883) };
  try {
    await (ENCRYPTED.includes(protocol) ? greeted(broker, place) : opened(connect(place), 'connect'));
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return withHint(message, code, new Date());
  }
}

function greeted({ caFile, certFile, keyFile }: BrokerConfig, place: { host: string; port: number }): Promise<void> {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
  const [ca, cert, key] = [read(caFile), read(certFile), read(keyFile)];
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const name = isIP(place.host) === 0 ? { servername: place.host } : {};
  return opened(connectTls({ ...place, ...name, ...files }), 'secureConnect');
}

function opened(socket: Socket, event: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.setTimeout(PATIENCE_MS, () => reject(new Error('does not answer')));
  socket.once(event, () => resolve());
  socket.once('error', reject);
  return promise.finally(() => socket.destroy());
}
