import { Connection, type Statement } from './connection.ts';
import { MetaTable } from './meta.ts';
import { REPORTED_AS } from './store.ts';

/**
 * What an agent last said about each retained topic, read by another process beside it or after its end. Opens the
 * database for reading only: a board is looked at, not recovered.
 */
export class Published {
  readonly #connection: Connection;
  readonly #below: Statement<{ body: Uint8Array }>;

  /** Throws StoreError when the file cannot be read. */
  constructor(path: string) {
    this.#connection = new Connection(path, { readOnly: true });
    // A body of no bytes is a topic that is to be cleared.
    this.#below = this.#connection.prepare(
      'SELECT body FROM outbox_retained WHERE substr(topic, 1, ?) = ? AND length(body) > 0 ORDER BY topic',
    );
  }

  /** Device id and topic prefix of the agent that was here last; undefined when none has got as far. */
  reportedAs(): { device: string; prefix: string } | undefined {
    const meta = new MetaTable(this.#connection);
    const device = meta.get(REPORTED_AS.device);
    const prefix = meta.get(REPORTED_AS.prefix);
    return device === undefined || prefix === undefined ? undefined : { device, prefix };
  }

  /** Bodies of the topics that begin with `start`, by topic. */
  bodies(start: string): string[] {
    return this.#below.all(start.length, start).map(({ body }) => Buffer.from(body).toString());
  }

  close(): void {
    this.#connection.close();
  }
}
