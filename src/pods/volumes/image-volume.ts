/** image volumes: the files of an image, read-only. */
import { mkdir } from 'node:fs/promises';
import type { Volume } from '../../manifest/types/volumes.ts';
import type { ImageSource } from '../ports.ts';
import { isMountPoint } from './empty-dir.ts';
import { VolumeImageError } from './mount-error.ts';

export interface LayerMounts {
  /** Two or more layers, topmost first, as one read-only directory. */
  mountLayers(path: string, lowerDirs: string[]): Promise<void>;
}

interface ImageVolume {
  name: string;
  image: NonNullable<Volume['image']>;
  /** Where several layers are put together. */
  path: string;
  images: ImageSource;
  mounts: LayerMounts;
}

/** A single layer is used where it lies. */
export const makeImageVolume = async ({ name, image, path, images, mounts }: ImageVolume): Promise<string> => {
  const { lowerDirs } = await images.ensure(image.reference, image.pullPolicy).catch((error: unknown) => {
    throw new VolumeImageError(name, image.reference, error);
  });
  const [only, ...others] = lowerDirs;
  if (only !== undefined && others.length === 0) return only;
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (!(await isMountPoint(path))) await mounts.mountLayers(path, lowerDirs);
  return path;
};
