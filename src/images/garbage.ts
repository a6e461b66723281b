/** Which images may be removed, and which of them first. Pure. */
import type { StoredImage } from './image-repo.ts';

/** What pods need. `nameless`: also images that no name leads to. */
export interface Needed {
  /** Normalised. */
  refs: ReadonlySet<string>;
  ids: ReadonlySet<string>;
  nameless: boolean;
}

/** Monotonic ms at which an image was first seen here, and last seen in use. */
export interface Sighting {
  firstSeen: number;
  lastUsed: number;
}

/** An image is left alone for this long after it came: a manifest that needs it may be on its way (kubelet: 2 min). */
const MIN_AGE_MS = 2 * 60_000;

export function isNeeded({ id, refs }: StoredImage, needed: Needed): boolean {
  return (
    needed.ids.has(id) ||
    refs.some((ref) => needed.refs.has(ref)) ||
    (needed.nameless && refs.every((ref) => ref.includes('@')))
  );
}

/** Images nobody needs that are old enough, the longest unused first; of those never used the first loaded. */
export function removable(
  images: readonly StoredImage[],
  { needed, sightings, now }: { needed: Needed; sightings: ReadonlyMap<string, Sighting>; now: number },
): StoredImage[] {
  const seen = (image: StoredImage): Sighting => sightings.get(image.id) ?? { firstSeen: now, lastUsed: 0 };
  return images
    .filter((image) => !isNeeded(image, needed) && now - seen(image).firstSeen >= MIN_AGE_MS)
    .sort((a, b) => seen(a).lastUsed - seen(b).lastUsed || (a.loadedAt < b.loadedAt ? -1 : 1));
}
