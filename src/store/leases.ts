import type { Connection, Statement } from './connection.ts';

/** `ip`: key is the address · `port`: `<protocol>/<host ip>/<port>` · `uidrange`: first id of the range. */
export type LeaseKind = 'ip' | 'port' | 'uidrange';

export interface Lease {
  kind: LeaseKind;
  key: string;
  /** uid of the pod that holds it. */
  owner: string;
}

/** Things of which there is one per node, held by pods. All methods throw StoreError. */
export class LeasesTable {
  #take: Statement;
  #holder: Statement<Lease>;
  #release: Statement;
  #releaseAll: Statement;
  #ownedBy: Statement<Lease>;
  #list: Statement<Lease>;

  constructor(connection: Connection) {
    this.#take = connection.prepare('INSERT INTO leases (kind, key, owner) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#holder = connection.prepare('SELECT * FROM leases WHERE kind = ? AND key = ?');
    this.#release = connection.prepare('DELETE FROM leases WHERE kind = ? AND key = ? AND owner = ?');
    this.#releaseAll = connection.prepare('DELETE FROM leases WHERE owner = ?');
    this.#ownedBy = connection.prepare('SELECT * FROM leases WHERE owner = ? ORDER BY kind, key');
    this.#list = connection.prepare('SELECT * FROM leases WHERE kind = ? ORDER BY key');
  }

  /** True if `owner` holds the lease now, newly or already; false if another does. */
  take(kind: LeaseKind, key: string, owner: string): boolean {
    const held = this.holder(kind, key);
    if (held !== undefined) return held === owner;
    return this.#take.run(kind, key, owner).changes > 0;
  }

  holder(kind: LeaseKind, key: string): string | undefined {
    return this.#holder.get(kind, key)?.owner;
  }

  /** Gives one lease back; false if `owner` did not hold it. */
  release(kind: LeaseKind, key: string, owner: string): boolean {
    return this.#release.run(kind, key, owner).changes > 0;
  }

  /** Gives back all a pod holds; returns how many. */
  releaseAll(owner: string): number {
    return this.#releaseAll.run(owner).changes;
  }

  ownedBy(owner: string): Lease[] {
    return this.#ownedBy.all(owner);
  }

  list(kind: LeaseKind): Lease[] {
    return this.#list.all(kind);
  }
}
