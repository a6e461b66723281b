import { APPLICATION_ID, type Connection } from './connection.ts';
import { StoreError } from './errors.ts';

export interface Migration {
  /** 1, 2, 3 …: becomes SQLite's `user_version`. */
  version: number;
  name: string;
  sql: string;
}

/** Schema version of an open database; 0 for an empty file. */
export function schemaVersion(connection: Connection): number {
  return Number(connection.pragma('user_version'));
}

/** The same. Throws StoreError E_STORE_NEWER when it is none of `migrations`. */
export function knownVersion(connection: Connection, migrations: readonly Migration[]): number {
  const current = schemaVersion(connection);
  const newest = migrations.at(-1)?.version ?? 0;
  if (current <= newest) return current;
  const detail = `${connection.path} has schema version ${current}, this edgepod knows up to ${newest}`;
  throw new StoreError('E_STORE_NEWER', detail, 'USER_VERSION');
}

/**
 * Brings the database to the newest schema: all missing migrations in one transaction, so that a power cut leaves the
 * old schema or the new one. `beforeChange` is called first when there is data to lose (the place for a backup).
 * Returns the versions applied. Throws StoreError E_STORE_NEWER for a database of a newer edgepod.
 */
export function migrate(connection: Connection, migrations: readonly Migration[], beforeChange: () => void): number[] {
  const current = knownVersion(connection, migrations);
  const newest = migrations.at(-1)?.version ?? 0;
  const missing = migrations.filter((migration) => migration.version > current);
  if (missing.length === 0) return [];
  if (current > 0) beforeChange();
  connection.transaction(() => {
    for (const migration of missing) connection.exec(migration.sql);
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.pragma(`user_version = ${newest}`);
  });
  return missing.map((migration) => migration.version);
}
