/** Removes images nobody needs when the disk fills up: the kubelet's image garbage collection. */
import type { Logger } from 'pino';
import { isNeeded, type Needed, removable, type Sighting } from '../../images/garbage.ts';
import type { StoredImage } from '../../images/image-repo.ts';
import type { ImageStore } from '../../images/image-store.ts';
import type { NeededImages } from '../../pods/eviction/needed-images.ts';
import { normalisedNeeds } from './needed-images.ts';

interface ImageGarbageOptions {
  images: Pick<ImageStore, 'list' | 'removeUnused'>;
  needed: () => NeededImages;
  /** Share of the disk that is used, 0 to 1. */
  diskUsed: () => number;
  /** Per cent of the disk: above `gcHighPercent` images go until it is `gcLowPercent`. 100: never. */
  limits: { gcHighPercent: number; gcLowPercent: number };
  monotonicMs: () => number;
  log: Logger;
}

export class ImageGarbage {
  readonly #options: ImageGarbageOptions;
  readonly #sightings = new Map<string, Sighting>();

  constructor(options: ImageGarbageOptions) {
    this.#options = options;
  }

  /** To be called every few minutes: notes what is in use, and removes images if the disk is too full. */
  async look(): Promise<void> {
    const { diskUsed, limits } = this.#options;
    this.#observe();
    const used = () => diskUsed() * 100;
    if (limits.gcHighPercent >= 100 || used() < limits.gcHighPercent) return;
    await this.#remove(() => used() > limits.gcLowPercent);
  }

  /** Removes every image nobody needs, before a pod is ended for want of disk. */
  async removeAll(): Promise<void> {
    if (this.#options.limits.gcHighPercent >= 100) return;
    this.#observe();
    await this.#remove(() => true);
  }

  async #remove(isTooFull: () => boolean): Promise<void> {
    const { images, monotonicMs, log } = this.#options;
    const next = (stored: StoredImage[]) =>
      isTooFull()
        ? removable(stored, { needed: this.#needed(), sightings: this.#sightings, now: monotonicMs() })[0]
        : undefined;
    const removed = await images.removeUnused(next);
    if (removed.length > 0)
      log.warn({ event: 'images.removed', images: removed }, 'unused images removed to free disk');
  }

  #observe(): void {
    const now = this.#options.monotonicMs();
    const stored = this.#options.images.list();
    const needed = this.#needed();
    const ids = new Set(stored.map(({ id }) => id));
    for (const id of this.#sightings.keys()) if (!ids.has(id)) this.#sightings.delete(id);
    for (const image of stored) {
      const { firstSeen = now, lastUsed = 0 } = this.#sightings.get(image.id) ?? {};
      this.#sightings.set(image.id, { firstSeen, lastUsed: isNeeded(image, needed) ? now : lastUsed });
    }
  }

  #needed(): Needed {
    return normalisedNeeds(this.#options.needed());
  }
}
