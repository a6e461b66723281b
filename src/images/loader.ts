/** From an archive file to unpacked layers. Runs with the store's lock held. */
import { randomBytes } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchiveImage, readArchive } from './archive.ts';
import { ArchiveFiles, invalid, sha256 } from './archive-files.ts';
import { ImageError } from './errors.ts';
import type { Hardware } from './hardware.ts';
import { type ParsedConfig, parseImageConfig } from './image-config.ts';
import type { NewImage } from './image-repo.ts';
import type { LayerStore } from './layer-store.ts';
import { normalise, parseReference } from './reference.ts';
import type { LayerReport, Unpacker } from './unpacker.ts';

export interface LoaderParts {
  layers: LayerStore;
  unpacker: Unpacker;
  hardware: Hardware;
}

export interface LoadRequest {
  /** A docker-archive or OCI archive, plain or compressed as a whole, or a directory with an OCI layout. */
  path: string;
  /** Reference instead of the archive's own. */
  name: string | undefined;
  progress: (line: string) => void;
}

/** An image whose layers are all on disk now, ready to be made known. */
export interface UnpackedImage extends NewImage {
  layersNew: number;
  layersShared: number;
}

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/**
 * Unpacks the images of an archive that are for this board, one after the other: `each` is called when one is complete.
 * Nothing is unpacked before the whole archive's documents have been found in order.
 */
export async function unpackImages(
  parts: LoaderParts,
  request: LoadRequest,
  each: (image: UnpackedImage) => Promise<void>,
): Promise<void> {
  const { files, dispose } = await openArchive(parts, request);
  try {
    const chosen = await chooseImages(files, parts.hardware);
    if (request.name !== undefined && chosen.length > 1)
      throw invalid(`the archive holds ${chosen.length} images: one name cannot be given to all`);
    for (const { image, parsed, id } of chosen) {
      const refs = references(image, request.name, id);
      await each({ ...(await unpackLayers(parts, image, parsed, request.progress)), id, refs });
    }
  } finally {
    await dispose();
  }
}

async function openArchive(
  { layers, unpacker }: LoaderParts,
  { path, progress }: LoadRequest,
): Promise<{ files: ArchiveFiles; dispose: () => Promise<void> }> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new ImageError('LoadFailed', error.code === 'ENOENT' ? `there is no file ${path}` : error.message);
  });
  const nothing = async () => {};
  if (info.isDirectory()) return { files: await ArchiveFiles.ofDirectory(path), dispose: nothing };
  if (!info.isFile()) throw new ImageError('LoadFailed', `${path} is neither a file nor a directory`);
  if (!(await isCompressed(path)))
    return { files: ArchiveFiles.ofTar(path, await unpacker.index(path)), dispose: nothing };
  // Layers are read by their place in the file, so a file compressed as a whole is written out plain first.
  progress('decompressing the archive');
  const plain = join(layers.tmp, randomBytes(8).toString('hex'));
  const dispose = () => rm(plain, { force: true });
  try {
    await unpacker.plain(path, plain, await layers.room());
    return { files: ArchiveFiles.ofTar(plain, await unpacker.index(plain)), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

interface Chosen {
  image: ArchiveImage;
  parsed: ParsedConfig;
  id: string;
}

/** Images this board can run; with none, the reason names both platforms. */
async function chooseImages(files: ArchiveFiles, hardware: Hardware): Promise<Chosen[]> {
  const { images, otherPlatforms } = await readArchive(files, hardware.architecture);
  const chosen: Chosen[] = [];
  for (const image of images) {
    const parsed = parseImageConfig(image.config);
    if (!(await hardware.runs(parsed))) {
      otherPlatforms.push(parsed);
      continue;
    }
    if (parsed.diffIds.length !== image.layers.length)
      throw invalid(`the image configuration has ${parsed.diffIds.length} layers, the manifest ${image.layers.length}`);
    chosen.push({ image, parsed, id: sha256(image.config) });
  }
  if (chosen.length > 0) return chosen;
  if (otherPlatforms.length === 0) throw invalid('the archive holds no image');
  throw hardware.refusal(otherPlatforms);
}

async function unpackLayers(
  { layers }: LoaderParts,
  image: ArchiveImage,
  { os, architecture, diffIds }: ParsedConfig,
  progress: (line: string) => void,
): Promise<Omit<UnpackedImage, 'id' | 'refs'>> {
  const sizes: { diffId: string; size: number }[] = [];
  let layersNew = 0;
  for (const [index, diffId] of diffIds.entries()) {
    const { path, offset, size, digest } = image.layers[index]!;
    const place = `layer ${index + 1} of ${diffIds.length}`;
    const known = layers.info(diffId);
    progress(`${place}: ${known ? 'already here' : `unpacking ${(size / 1e6).toFixed(1)} MB`}`);
    const blob = { path, offset, size, diffId, ...(digest !== undefined && { digest }) };
    const report = known ?? (await addLayer(layers, blob, place));
    if (!known) layersNew += 1;
    sizes.push({ diffId, size: report.bytes });
  }
  const layersShared = sizes.length - layersNew;
  return { config: image.config, os, architecture, layers: sizes, layersNew, layersShared };
}

async function addLayer(
  layers: LayerStore,
  blob: Parameters<LayerStore['add']>[0],
  place: string,
): Promise<LayerReport> {
  try {
    return await layers.add(blob);
  } catch (error) {
    throw error instanceof ImageError ? new ImageError(error.code, `${place}: ${error.message}`, error) : error;
  }
}

/** The names to store an image under: tags, and the digest of its manifest for `name@sha256:…`. */
function references({ names, manifestDigest }: ArchiveImage, given: string | undefined, id: string): string[] {
  const refs = given !== undefined ? [normalise(given)] : names.flatMap(usable);
  if (refs.length === 0)
    throw invalid(`image ${id.slice(7, 19)} has no name in the archive: give it one (edgepod image load --name NAME)`);
  if (manifestDigest === undefined) return refs;
  const digests = refs.map((ref) => {
    const { registry, repository } = parseReference(ref);
    return `${registry}/${repository}@${manifestDigest}`;
  });
  return [...new Set([...refs, ...digests])];
}

/** A name only its own tool understands is no reason to refuse the image. */
function usable(name: string): string[] {
  try {
    return [normalise(name)];
  } catch {
    return [];
  }
}

async function isCompressed(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return [GZIP, ZSTD].some((magic) => magic.every((byte, at) => buffer[at] === byte));
  } finally {
    await handle.close();
  }
}
