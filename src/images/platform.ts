/** Which images a board can run. Pure. */

/** As OCI documents name it; `variant` tells the generations of 32-bit ARM apart. */
export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
}

/** Generations of 32-bit ARM that a 64-bit processor with a 32-bit mode runs, best first; images without one count as v7. */
const ARM_VARIANTS = ['v8', 'v7', 'v6', 'v5'];

/** `linux/arm/v7`. */
export function platformName({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/');
}

/**
 * How good an image for `platform` is on a board with processors of `own` (`arm64`): 0 is its own, greater is worse,
 * undefined is not at all. On arm64 32-bit ARM comes second: whether the processor has that mode is asked separately.
 */
export function suitability(platform: Platform, own: string): number | undefined {
  const { os, architecture, variant = 'v7' } = platform;
  if (os !== 'linux') return undefined;
  if (architecture === own) return 0;
  if (!needsArm32(platform, own)) return undefined;
  const place = ARM_VARIANTS.indexOf(variant);
  return place < 0 ? undefined : 1 + place;
}

/** An image that a 64-bit ARM board runs only if its processors have a 32-bit mode. */
export function needsArm32({ architecture }: Pick<Platform, 'architecture'>, own: string): boolean {
  return own === 'arm64' && architecture === 'arm';
}
