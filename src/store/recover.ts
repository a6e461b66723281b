import { rmSync } from 'node:fs';
import { listBackups, restoreBackup, writeBackup } from './backup.ts';
import { APPLICATION_ID, Connection, guard } from './connection.ts';
import { StoreError } from './errors.ts';
import { removeDatabase, setAside, sizeOf } from './files.ts';
import type { StoreLog } from './log.ts';
import { type Migration, migrate, schemaVersion } from './migrate.ts';

/** How the store came up. `fresh` after a `setAside` means: everything comes back from the shims and the broker. */
export interface Opened {
  state: 'ok' | 'fresh' | 'restored';
  /** Where the damaged file is kept. */
  setAside?: string;
  /** Why it was set aside. */
  reason?: string;
  /** The backup that was restored. */
  backup?: string;
  /** Schema versions applied on this start. */
  migrated: number[];
}

interface OpenOptions {
  migrations: readonly Migration[];
  log: StoreLog;
  now: () => Date;
}

/**
 * Opens the database at `path`, whatever state it is in: sound, missing, damaged, of a newer version. Damaged files are
 * set aside and the newest good backup is restored, else an empty one is made; a board in the field must start. Only what
 * a different file would not cure (full, read-only, locked, an old Node) is thrown, as StoreError.
 */
export function openOrRecover(path: string, options: OpenOptions): { connection: Connection; opened: Opened } {
  rmSync(`${path}.bak.tmp`, { force: true });
  rmSync(`${path}.restore.tmp`, { force: true });
  const setAsideInfo = trySetAside(path, options);
  if ('connection' in setAsideInfo) return setAsideInfo;
  for (const backup of listBackups(path)) {
    restoreBackup(backup, path);
    try {
      const { connection, migrated } = openSound(path, options);
      return { connection, opened: { state: 'restored', backup, migrated, ...setAsideInfo } };
    } catch (error) {
      if (!curable(error)) throw error;
      options.log.warn({ event: 'store.backup-unusable', backup, err: error }, 'a database backup is damaged too');
      removeDatabase(path);
    }
  }
  const { connection, migrated } = openSound(path, options);
  return { connection, opened: { state: 'fresh', migrated, ...setAsideInfo } };
}

type Aside = { setAside?: string; reason?: string };

/** Either the sound database that was there, or where the unsound one has been put (nothing, if there was none). */
function trySetAside(path: string, options: OpenOptions): Aside | { connection: Connection; opened: Opened } {
  const size = sizeOf(path);
  if (size < 0) {
    // A WAL without its database belongs to nothing any more, and would be replayed into the next file of that name.
    removeDatabase(path);
    return {};
  }
  try {
    const { connection, migrated, wasEmpty } = openSound(path, options);
    if (!wasEmpty || listBackups(path).length === 0) {
      return { connection, opened: { state: wasEmpty ? 'fresh' : 'ok', migrated } };
    }
    connection.close();
    throw new StoreError('E_STORE_CORRUPT', `${path} is empty though it has backups`, 'EMPTY');
  } catch (error) {
    if (!curable(error)) throw error;
    const aside = guard(`set ${path} aside`, () => setAside(path, options.now()));
    options.log.error({ event: 'store.set-aside', setAside: aside, err: error }, 'the database is damaged');
    return { setAside: aside, reason: (error as StoreError).detail };
  }
}

/** Would another file help? */
function curable(error: unknown): boolean {
  return error instanceof StoreError && (error.code === 'E_STORE_CORRUPT' || error.code === 'E_STORE_NEWER');
}

/** Opens, checks and migrates one file; throws StoreError (E_STORE_CORRUPT for anything but a sound edgepod database). */
function openSound(path: string, { migrations }: OpenOptions) {
  const connection = new Connection(path);
  try {
    const check = connection.pragma('quick_check(1)');
    if (check !== 'ok') throw new StoreError('E_STORE_CORRUPT', `${path} is damaged (${String(check)})`, 'QUICK_CHECK');
    const wasEmpty = schemaVersion(connection) === 0 && Number(connection.pragma('schema_version')) === 0;
    if (!wasEmpty && Number(connection.pragma('application_id')) !== APPLICATION_ID) {
      throw new StoreError('E_STORE_CORRUPT', `${path} is not an edgepod database`, 'APPLICATION_ID');
    }
    const migrated = migrate(connection, migrations, () => writeBackup(connection));
    return { connection, migrated, wasEmpty };
  } catch (error) {
    connection.close();
    throw error;
  }
}
