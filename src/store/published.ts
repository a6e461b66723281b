import { Connection } from './connection.ts';
import { MetaTable } from './meta.ts';
import { knownVersion } from './migrate.ts';
import { migrations } from './migrations/all.ts';

/** What of an agent's settings somebody needs who reads its database without it. */
export interface Reporter {
  device: string;
  /** First level of its topics. */
  prefix: string;
  logDir: string;
}

const REPORTER = 'reporter';

/** Kept by the agent. Throws StoreError. */
export function keepReporter(meta: MetaTable, { device, prefix, logDir }: Reporter): void {
  meta.set(REPORTER, JSON.stringify({ device, prefix, logDir }));
}

/**
 * What an agent last said about each retained topic, read by another process beside it or after its end. Opens the
 * database for reading only: a board is looked at, not recovered.
 */
export class Published {
  readonly #connection: Connection;
  /** False in a file that an agent made and did not get to fill. */
  readonly #filled: boolean;

  /** Throws StoreError when the file cannot be read, or is of a newer edgepod. */
  constructor(path: string) {
    this.#connection = new Connection(path, { readOnly: true });
    try {
      this.#filled = knownVersion(this.#connection, migrations) > 0;
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** Of the agent that was here last; undefined when none has got as far. */
  reporter(): Reporter | undefined {
    const kept = this.#filled ? new MetaTable(this.#connection).get(REPORTER) : undefined;
    return kept === undefined ? undefined : (JSON.parse(kept) as Reporter);
  }

  /** Bodies of the topics that begin with `start`, by topic. */
  bodies(start: string): string[] {
    if (!this.#filled) return [];
    // A body of no bytes is a topic that is to be cleared.
    const below = this.#connection.prepare<{ body: Uint8Array }>(
      'SELECT body FROM outbox_retained WHERE substr(topic, 1, ?) = ? AND length(body) > 0 ORDER BY topic',
    );
    return below.all(start.length, start).map(({ body }) => Buffer.from(body).toString());
  }

  close(): void {
    this.#connection.close();
  }
}
