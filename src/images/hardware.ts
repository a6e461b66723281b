/** What this board's processors run, as far as images are concerned. */
import { ImageError } from './errors.ts';
import { needsArm32, type Platform, platformName, suitability } from './platform.ts';

export class Hardware {
  /** As images name it: `arm64`, `amd64`. */
  readonly architecture: string;
  readonly #askArm32: () => Promise<boolean>;
  #arm32: Promise<boolean> | undefined;

  /** @param askArm32 asked once, and only when there is an image that needs to know */
  constructor(architecture: string, askArm32: () => Promise<boolean>) {
    this.architecture = architecture;
    this.#askArm32 = askArm32;
  }

  async runs(platform: Platform): Promise<boolean> {
    if (suitability(platform, this.architecture) === undefined) return false;
    if (!needsArm32(platform, this.architecture)) return true;
    this.#arm32 ??= this.#askArm32();
    return this.#arm32;
  }

  /** Why an image for `platforms`, none of which it runs, is refused. */
  refusal(platforms: readonly Platform[]): ImageError {
    const names = [...new Set(platforms.map(platformName))].join(', ');
    const wide = platforms.some((platform) => suitability(platform, this.architecture) !== undefined);
    const board = `linux/${this.architecture}${wide ? ' and its processor runs no 32-bit programs' : ''}`;
    return new ImageError('WrongPlatform', `the image is for ${names}, this board is ${board}`);
  }
}
