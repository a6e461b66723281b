import type { Connection, Statement } from './connection.ts';

/** The reconciler's own durable state of one pod; `record` is its JSON text, opaque to the store. */
export interface PodRow {
  uid: string;
  namespace: string;
  name: string;
  record: string;
  updatedAt: string;
}

interface Row {
  uid: string;
  namespace: string;
  name: string;
  record: string;
  updated_at: string;
}

/** What the reconciler must still know after a reboot. All methods throw StoreError. */
export class PodsTable {
  #now: () => Date;
  #put: Statement;
  #remove: Statement;
  #get: Statement<Row>;
  #list: Statement<Row>;

  constructor(connection: Connection, now: () => Date) {
    this.#now = now;
    // The WHERE keeps an unchanged record from costing a write.
    this.#put = connection.prepare(`INSERT INTO pods (uid, namespace, name, record, updated_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (uid) DO UPDATE SET namespace = excluded.namespace, name = excluded.name, record = excluded.record,
      updated_at = excluded.updated_at WHERE record <> excluded.record`);
    this.#remove = connection.prepare('DELETE FROM pods WHERE uid = ?');
    this.#get = connection.prepare('SELECT * FROM pods WHERE uid = ?');
    this.#list = connection.prepare('SELECT * FROM pods ORDER BY namespace, name, uid');
  }

  /** Stores a record; on disk when it returns. False (and no write) if it is the same as before. */
  put({ uid, namespace, name, record }: Omit<PodRow, 'updatedAt'>): boolean {
    return this.#put.run(uid, namespace, name, record, this.#now().toISOString()).changes > 0;
  }

  remove(uid: string): boolean {
    return this.#remove.run(uid).changes > 0;
  }

  get(uid: string): PodRow | undefined {
    const row = this.#get.get(uid);
    return row && podOf(row);
  }

  list(): PodRow[] {
    return this.#list.all().map(podOf);
  }
}

function podOf({ uid, namespace, name, record, updated_at }: Row): PodRow {
  return { uid, namespace, name, record, updatedAt: updated_at };
}
