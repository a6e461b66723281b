import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { StoreError, toStoreError } from './errors.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;

/** A cached prepared statement; `Row` is the shape of what it returns. */
export interface Statement<Row = never> {
  run(...values: SqlValue[]): { changes: number };
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
}

/** Marks our files, so that somebody else's SQLite database under our name is recognised ("epod"). */
export const APPLICATION_ID = 0x65706f64;

/**
 * One SQLite connection with the settings a board needs, and every error a StoreError. The only file that knows
 * better-sqlite3: its surface is what `node:sqlite` offers too.
 */
export class Connection {
  readonly path: string;
  #database: Database.Database;

  /** Opens (or, unless it is only read, creates, mode 0600: it holds Secrets) the file. Throws StoreError. */
  constructor(path: string, { readOnly = false } = {}) {
    assertNodeApi(process.versions.napi);
    this.path = path;
    this.#database = guard(`open ${path}`, () => {
      if (readOnly) return openToRead(path);
      closeSync(openSync(path, 'a', 0o600));
      return new Database(path, { timeout: 5000, ...bundledBinding() });
    });
    if (readOnly) return;
    try {
      this.#configure();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  #configure(): void {
    this.pragma('journal_mode = WAL');
    // better-sqlite3 is compiled so that WAL falls back to NORMAL, which loses the last commits in a power cut,
    // after they have been acknowledged. Only an explicit FULL sticks.
    this.pragma('synchronous = FULL');
    this.pragma('cache_size = -512');
    this.pragma('wal_autocheckpoint = 64');
    this.pragma('journal_size_limit = 262144');
    this.pragma('foreign_keys = ON');
    this.pragma('busy_timeout = 5000');
    this.pragma('temp_store = MEMORY');
  }

  /** Runs one PRAGMA and returns its single value. */
  pragma(text: string): unknown {
    return guard(`set ${text}`, () => this.#database.pragma(text, { simple: true }));
  }

  /** Runs SQL that returns nothing: schema changes, VACUUM. */
  exec(sql: string): void {
    guard('change the database', () => this.#database.exec(sql));
  }

  prepare<Row = never>(sql: string): Statement<Row> {
    const statement = guard('prepare a statement', () => this.#database.prepare<SqlValue[], Row>(sql));
    const what = sql.trim().slice(0, 60).replace(/\s+/g, ' ');
    return {
      run: (...values) => guard(what, () => statement.run(...values)),
      get: (...values) => guard(what, () => statement.get(...values)),
      all: (...values) => guard(what, () => statement.all(...values)),
    };
  }

  /** Runs `work` in one write transaction: committed and on disk when this returns, or nothing happened. */
  transaction<T>(work: () => T): T {
    return guard('commit', () => this.#database.transaction(work).immediate());
  }

  close(): void {
    this.#database.close();
  }
}

/** Beside a writer, or after one; leaves nothing behind. */
function openToRead(path: string): Database.Database {
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (wal && wal.size > 0) return new Database(path, { timeout: 5000, readonly: true, ...bundledBinding() });
  // Everything is in the file. SQLite would make `-wal` and `-shm` beside it, which a read-only file system refuses and
  // which stay; so it is given a copy, whose header says that there is no WAL (https://sqlite.org/fileformat.html, 1.3.3).
  const copy = readFileSync(path);
  if (copy.length > 20) copy.fill(1, 18, 20);
  return new Database(copy, bundledBinding());
}

/** In a production bundle (image/bundle.ts) SQLite's binding lies with the other native files, not in node_modules. */
function bundledBinding(): { nativeBinding?: string } {
  const path = join(import.meta.dirname, '../native', process.arch, 'better_sqlite3.node');
  return existsSync(path) ? { nativeBinding: path } : {};
}

/** better-sqlite3 13 needs Node-API 10; on an older Node it does not fail, it crashes the process. */
export function assertNodeApi(version: string | undefined): void {
  if (Number(version) >= 10) return;
  throw new StoreError('E_STORE_NODE', `this Node offers Node-API ${version ?? '?'}, the database needs 10`, 'NAPI');
}

/** Runs `work` and turns SQLite's and the file system's errors into StoreErrors; others pass through untouched. */
export function guard<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === 'string' && /^(SQLITE_|E[A-Z]+$)/.test(code)) throw toStoreError(error, what);
    throw error;
  }
}
