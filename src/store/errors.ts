/** Stable codes of every way the store can fail. */
export type StoreErrorCode =
  | 'E_STORE_NODE'
  | 'E_STORE_FULL'
  | 'E_STORE_READONLY'
  | 'E_STORE_BUSY'
  | 'E_STORE_IO'
  | 'E_STORE_CORRUPT'
  | 'E_STORE_NEWER'
  | 'E_STORE_STATEMENT';

/** What somebody at the machine can do about it. */
const HINTS: Record<StoreErrorCode, string> = {
  E_STORE_NODE: 'install Node 22.14 or newer (Node-API 10)',
  E_STORE_FULL: 'free space on the file system that holds the data directory; nothing was lost, it is retried',
  E_STORE_READONLY:
    'the data directory must be writable; a file system that went read-only usually means a failing SD card (see dmesg)',
  E_STORE_BUSY: 'another process holds the database; is a second agent running on the same data directory?',
  E_STORE_IO: 'the storage device reports errors (see dmesg); check the SD card and the data directory’s permissions',
  E_STORE_CORRUPT: 'restart the agent: it sets the damaged file aside and restores the newest good backup',
  E_STORE_NEWER: 'a newer edgepod wrote this database; upgrade again, or let the agent restore the older backup',
  E_STORE_STATEMENT: 'this is a bug in edgepod, please report it',
};

/**
 * Anything SQLite or the file system refused. `retry` is true when the same call may succeed later and nothing about
 * the data is at fault: a caller that was about to acknowledge something must not acknowledge it then.
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly retry: boolean;
  readonly hint: string;
  /** What happened, without the hint. */
  readonly detail: string;
  /** SQLite's or the system's own code, e.g. `SQLITE_IOERR_WRITE` or `EROFS`. */
  readonly causeCode: string;

  constructor(code: StoreErrorCode, detail: string, causeCode: string, cause?: unknown) {
    super(`${detail}: ${HINTS[code]}`, { cause });
    this.name = 'StoreError';
    this.code = code;
    this.retry = code !== 'E_STORE_STATEMENT' && code !== 'E_STORE_NODE' && code !== 'E_STORE_NEWER';
    this.hint = HINTS[code];
    this.detail = detail;
    this.causeCode = causeCode;
  }
}

/**
 * Pure: which of our codes a SQLite result code or an errno name means. Reads that fail or come back short are counted
 * as corruption: on an SD card that is a dead sector in the file, and the way out is the same (set aside, restore).
 */
export function classify(causeCode: string): StoreErrorCode {
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(causeCode)) return 'E_STORE_CORRUPT';
  if (/^SQLITE_IOERR_(READ|SHORT_READ|CORRUPTFS|DATA)$/.test(causeCode)) return 'E_STORE_CORRUPT';
  if (causeCode === 'SQLITE_FULL' || causeCode === 'ENOSPC' || causeCode === 'EDQUOT') return 'E_STORE_FULL';
  if (causeCode.startsWith('SQLITE_READONLY') || causeCode === 'EROFS' || causeCode === 'EACCES')
    return 'E_STORE_READONLY';
  if (/^SQLITE_(BUSY|LOCKED)/.test(causeCode)) return 'E_STORE_BUSY';
  if (/^SQLITE_(IOERR|CANTOPEN|PROTOCOL|NOMEM)/.test(causeCode) || /^E[A-Z]+$/.test(causeCode)) return 'E_STORE_IO';
  return 'E_STORE_STATEMENT';
}

/** The StoreError for anything thrown while doing `what` (a few words, e.g. `open /var/lib/edgepod/edgepod.db`). */
export function toStoreError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = (error as { code?: unknown }).code;
  const causeCode = typeof code === 'string' ? code : 'UNKNOWN';
  const text = error instanceof Error ? error.message : String(error);
  return new StoreError(classify(causeCode), `cannot ${what} (${causeCode}: ${text})`, causeCode, error);
}
