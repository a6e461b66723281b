/** What pods need of the images, in the words of the image store. */
import type { Needed } from '../../images/garbage.ts';
import { normalise } from '../../images/reference.ts';
import type { NeededImages } from '../../pods/eviction/needed-images.ts';

export function normalisedNeeds({ refs, ids, nameless }: NeededImages): Needed {
  return { refs: new Set([...refs].flatMap(normalised)), ids, nameless };
}

/** A manifest may name an image in a way that names nothing; its pod waits with InvalidImageName. */
function normalised(ref: string): string[] {
  try {
    return [normalise(ref)];
  } catch {
    return [];
  }
}
