/** Moments in the life of a board that something can be done at, such as taking its power. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './machine.ts';

/** Resolves when it has come; rejects when it cannot come any more (the signal, or the machine, says so). */
export type Moment = (machine: Machine, signal: AbortSignal) => Promise<void>;

export const after =
  (seconds: number): Moment =>
  async (_, signal) => {
    await sleep(seconds * 1000, undefined, { signal });
  };

/** The console, which shows the agent's log too, prints something from now on: at once, in the middle of the line if need be. */
export const printed =
  (pattern: RegExp): Moment =>
  (machine, signal) =>
    machine.prints(pattern, signal);

/**
 * Somebody publishes on a topic (an MQTT filter) at the broker, retained messages of before not counted.
 * @param matches the payload as text
 */
export const published =
  (brokerUrl: string, filter: string, matches: (payload: string) => boolean = () => true): Moment =>
  async (_, signal) => {
    const { default: mqtt } = await import('mqtt');
    const client = mqtt.connect(brokerUrl, { protocolVersion: 5 });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    client.on('error', reject);
    client.on('message', (_topic, payload, { retain }) => {
      if (!retain && matches(payload.toString())) resolve();
    });
    client.subscribe(filter, { qos: 1 }, (error) => {
      if (error) reject(error);
    });
    await promise.finally(() => client.end(true));
  };

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new Error(`"console:${text}" is no moment: ${(error as Error).message}`);
  }
}

/**
 * A moment as `npm run image:run` takes it: `30` (seconds), `console:PATTERN`, `mqtt:TOPIC-FILTER`.
 * @throws Error that says so
 */
export function readMoment(text: string, brokerUrl: string): Moment {
  if (/^\d+(\.\d+)?$/.test(text)) return after(Number(text));
  const [, kind, rest = ''] = /^(console|mqtt):(.+)$/s.exec(text) ?? [];
  if (kind === 'console') return printed(pattern(rest));
  if (kind === 'mqtt') return published(brokerUrl, rest);
  throw new Error(`"${text}" is no moment: a number of seconds, console:PATTERN or mqtt:TOPIC-FILTER`);
}
