/** Waiting for the person: Ctrl-C, or the broker going away. */
import type { MqttClient } from 'mqtt';
import { CommandError } from './failure.ts';

/** Resolves at SIGINT or SIGTERM; rejects when the connection is lost. */
export function interrupted(client: MqttClient): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const done = () => resolve();
  process.once('SIGINT', done);
  process.once('SIGTERM', done);
  client.once('close', () => reject(new CommandError('the connection to the broker was lost')));
  return promise.finally(() => {
    process.off('SIGINT', done);
    process.off('SIGTERM', done);
  });
}

/** A signal that Ctrl-C or SIGTERM aborts; `release` gives both back their usual meaning. */
export function abortOnSignal(): { signal: AbortSignal; release: () => void } {
  const abort = new AbortController();
  const onSignal = () => abort.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const release = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
  return { signal: abort.signal, release };
}
