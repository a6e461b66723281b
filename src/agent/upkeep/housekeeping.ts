/**
 * What is looked at now and then: what runs short, images nobody needs, memory the agent does not need, and a copy of the
 * database when it is worth one.
 */
import type { Logger } from 'pino';
import type { Relief } from '../../pods/eviction/relief.ts';
import type { Addon } from '../../runtime/native.ts';
import type { Store } from '../../store/store.ts';
import type { ImageGarbage } from './image-garbage.ts';
import type { NodePressure } from './node-pressure.ts';
import { SpareMemory } from './spare-memory.ts';

interface HousekeepingOptions {
  relief: Pick<Relief, 'checkStorage'>;
  pressure: Pick<NodePressure, 'look'>;
  garbage: Pick<ImageGarbage, 'look'>;
  store: Pick<Store, 'backup' | 'objects' | 'meta'>;
  addon: Pick<Addon, 'treeUsage' | 'releaseMemory'>;
  log: Logger;
}

/** The kubelet's eviction loop. */
const PRESSURE_INTERVAL_MS = 10_000;
/** The kubelet's image garbage collection. */
const IMAGES_INTERVAL_MS = 5 * 60_000;
/** Two thirds of what Node maps of itself are for starting; a pod's start leaves heap that is not needed until the next. */
const MEMORY_INTERVAL_MS = 60_000;
/** The first copy is made when a board stays up, the others once a day; each only if desired state changed since. */
const FIRST_BACKUP_MS = 3_600_000;
const BACKUP_INTERVAL_MS = 24 * 3_600_000;
/** In `meta`: the newest change the last copy has in it. */
const BACKED_UP = 'backedUpSeq';

export class Housekeeping {
  #options: HousekeepingOptions;
  #timers = new Set<NodeJS.Timeout>();
  #running = new Set<Promise<void>>();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#every(PRESSURE_INTERVAL_MS, () => this.#checkPressure(), 'what pods take of the board could not be measured');
    this.#every(IMAGES_INTERVAL_MS, () => this.#options.garbage.look(), 'unused images could not be removed');
    const memory = new SpareMemory({ addon: this.#options.addon });
    this.#every(MEMORY_INTERVAL_MS, () => memory.release(), 'memory could not be given back');
    this.#backupIn(FIRST_BACKUP_MS);
  }

  /** Resolves when nothing is being looked at any more. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#running);
  }

  /** One at a time of each: a slow card must not be asked again before it has answered. */
  #every(ms: number, look: () => Promise<void>, failed: string): void {
    let running: Promise<void> | undefined;
    const begin = () => {
      if (running) return;
      const work = look()
        .catch((error: unknown) => this.#options.log.warn({ err: error }, failed))
        .finally(() => {
          running = undefined;
          this.#running.delete(work);
        });
      running = work;
      this.#running.add(work);
    };
    this.#timers.add(setInterval(begin, ms));
  }

  /** What exceeds its own limits goes before anything that keeps to them. */
  async #checkPressure(): Promise<void> {
    const { relief, pressure, addon } = this.#options;
    await relief.checkStorage((trees) => addon.treeUsage(trees)).finally(() => pressure.look());
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
