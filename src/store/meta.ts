import type { Connection, Statement } from './connection.ts';

/** Single values: session number, subnet, … All methods throw StoreError. */
export class MetaTable {
  #connection: Connection;
  #get: Statement<{ value: string }>;
  #set: Statement;
  #remove: Statement;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#get = connection.prepare('SELECT value FROM meta WHERE key = ?');
    // The WHERE keeps an unchanged value from costing a write.
    this.#set = connection.prepare(`INSERT INTO meta (key, value) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value`);
    this.#remove = connection.prepare('DELETE FROM meta WHERE key = ?');
  }

  get(key: string): string | undefined {
    return this.#get.get(key)?.value;
  }

  set(key: string, value: string): void {
    this.#set.run(key, value);
  }

  remove(key: string): boolean {
    return this.#remove.run(key).changes > 0;
  }

  /** Adds `by` to a counter (0 at first) and returns the new value; on disk when it returns. */
  increment(key: string, by = 1): number {
    return this.#connection.transaction(() => {
      const next = Number(this.get(key) ?? 0) + by;
      this.#set.run(key, String(next));
      return next;
    });
  }
}
