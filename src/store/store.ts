import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeBackup } from './backup.ts';
import { type Connection, guard } from './connection.ts';
import { ImagesTable } from './images.ts';
import { LeasesTable } from './leases.ts';
import type { StoreLog } from './log.ts';
import { MetaTable } from './meta.ts';
import type { Migration } from './migrate.ts';
import { migrations as allMigrations } from './migrations/all.ts';
import { ObjectsTable } from './objects.ts';
import { OutboxTable } from './outbox.ts';
import { PodsTable } from './pods.ts';
import { type Opened, openOrRecover } from './recover.ts';
import { Seal } from './seal.ts';

export interface StoreOptions {
  log: StoreLog;
  now: () => Date;
  /** Events kept while the broker is away. */
  eventLimit?: number;
  /** For tests of migrations only. */
  migrations?: readonly Migration[];
}

/** Beside the database, and in none of its backups. */
const KEY_FILE = 'secrets.key';

/** Counter in `meta`: number of the newest MQTT session; see broker/presence.ts. */
export const SESSION_COUNTER = 'session';

/**
 * The agent's one database. Synchronous: when a writing call returns, its transaction has reached the disk
 * (WAL, synchronous=FULL), which is what allows a PUBACK to be sent next.
 */
export class Store {
  readonly opened: Opened;
  readonly objects: ObjectsTable;
  readonly pods: PodsTable;
  readonly outbox: OutboxTable;
  readonly images: ImagesTable;
  readonly leases: LeasesTable;
  readonly meta: MetaTable;
  /** Of this board: encrypts Secrets at rest. */
  readonly seal: Seal;
  #connection: Connection;
  #log: StoreLog;

  constructor(connection: Connection, opened: Opened, { log, now, eventLimit = 1000 }: StoreOptions) {
    this.#connection = connection;
    this.#log = log;
    this.opened = opened;
    this.seal = new Seal(join(dirname(connection.path), KEY_FILE));
    this.objects = new ObjectsTable(connection, now, this.seal);
    this.pods = new PodsTable(connection, now);
    this.outbox = new OutboxTable(connection, { eventLimit });
    this.images = new ImagesTable(connection, now);
    this.leases = new LeasesTable(connection);
    this.meta = new MetaTable(connection);
  }

  /** Several writes, of any tables, as one commit. */
  transaction<T>(work: () => T): T {
    return this.#connection.transaction(work);
  }

  /** Writes a backup beside the database (two are kept) and returns its path. Throws StoreError. */
  backup(): string {
    const path = writeBackup(this.#connection);
    this.#log.info({ event: 'store.backup', path }, 'database backup written');
    return path;
  }

  /** Checkpoints and closes; no method works afterwards. */
  close(): void {
    this.#connection.close();
  }
}

/**
 * Opens the store at `path`, recovering it if need be; `Store.opened` and the log line `store.opened` say how it went.
 * Throws StoreError when the disk is full, read-only or broken, the file locked, or Node too old.
 */
export function openStore(path: string, options: StoreOptions): Store {
  guard(`create ${dirname(path)}`, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }));
  const { log, now, migrations = allMigrations } = options;
  const { connection, opened } = openOrRecover(path, { log, now, migrations });
  const store = new Store(connection, opened, options);
  if (opened.state !== 'ok') reviseAfterLoss(store, now);
  const unreadable = store.objects.dropUnreadable();
  if (unreadable.length > 0)
    log.error(
      { event: 'store.unreadable', objects: unreadable },
      `Secrets cannot be decrypted with ${KEY_FILE}: dropped`,
    );
  const say = opened.setAside === undefined ? log.info : log.warn;
  say.call(log, { event: 'store.opened', ...opened }, `database ${opened.state}`);
  return store;
}

/**
 * A restored or fresh database may be behind what was already published: say everything again, and jump ahead with the
 * session number, so that presence does not seem to go backwards (the wall clock only makes the jump bigger).
 */
function reviseAfterLoss(store: Store, now: () => Date): void {
  store.transaction(() => {
    store.outbox.republish();
    const stored = Number(store.meta.get(SESSION_COUNTER) ?? 0);
    const seconds = Math.floor(now().getTime() / 1000);
    store.meta.set(SESSION_COUNTER, String(Math.max(stored + 1_000_000, seconds)));
  });
}
