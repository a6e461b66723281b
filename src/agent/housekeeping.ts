/** What is looked at now and then: pods that fill the disk, and a copy of the database when it is worth one. */
import type { Logger } from 'pino';
import type { TreeUsage } from '../pods/eviction/storage-check.ts';
import type { PodManager } from '../pods/manager.ts';
import type { Store } from '../store/store.ts';

interface HousekeepingOptions {
  manager: Pick<PodManager, 'checkStorage'>;
  store: Pick<Store, 'backup' | 'objects' | 'meta'>;
  treeUsage: TreeUsage;
  log: Logger;
}

/** The kubelet's eviction loop. */
const STORAGE_INTERVAL_MS = 10_000;
/** The first copy is made when a board stays up, the others once a day; each only if desired state changed since. */
const FIRST_BACKUP_MS = 3_600_000;
const BACKUP_INTERVAL_MS = 24 * 3_600_000;
/** In `meta`: the newest change the last copy has in it. */
const BACKED_UP = 'backedUpSeq';

export class Housekeeping {
  #options: HousekeepingOptions;
  #timers = new Set<NodeJS.Timeout>();
  #checking: Promise<void> | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timers.add(setInterval(() => this.#checkStorage(), STORAGE_INTERVAL_MS));
    this.#backupIn(FIRST_BACKUP_MS);
  }

  /** Resolves when nothing is being measured any more. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#checking;
  }

  /** One at a time: a slow card must not be asked again before it has answered. */
  #checkStorage(): void {
    const { manager, treeUsage, log } = this.#options;
    this.#checking ??= manager
      .checkStorage(treeUsage)
      .catch((error: unknown) => log.warn({ err: error }, 'what pods keep on the disk could not be measured'))
      .finally(() => {
        this.#checking = undefined;
      });
  }

  #backupIn(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#backup();
      this.#backupIn(BACKUP_INTERVAL_MS);
    }, ms);
    this.#timers.add(timer);
  }

  #backup(): void {
    const { store, log } = this.#options;
    const newest = String(store.objects.newestSeq());
    try {
      if (store.meta.get(BACKED_UP) === newest) return;
      // Noted first, so that the copy knows of itself; where it fails, the next day tries again after any change.
      store.meta.set(BACKED_UP, newest);
      store.backup();
    } catch (error) {
      log.warn({ err: error }, 'the database could not be copied');
    }
  }
}
