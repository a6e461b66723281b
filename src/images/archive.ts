/** Which images an archive holds: docker-archive (`docker save`, `podman save`) and OCI image layout. */
import { type ArchiveFiles, type Blob, invalid, sha256, shown } from './archive-files.ts';
import { type Platform, suitability } from './platform.ts';

export interface ArchiveLayer extends Blob {
  /** Of the blob as it is in the archive, where the archive states one. */
  digest?: string;
}

export interface ArchiveImage {
  /** Names in the archive, as written there; may be empty. */
  names: string[];
  /** The OCI image configuration, JSON text; its digest is the image's id. */
  config: string;
  /** `sha256:…` of the manifest; docker archives have none. */
  manifestDigest?: string;
  /** Lowest first. */
  layers: ArchiveLayer[];
}

export interface ArchiveContent {
  images: ArchiveImage[];
  /** Platforms of images that were passed over because they are for other hardware, or ours has a better one. */
  otherPlatforms: Platform[];
}

type Json = Record<string, unknown>;

/** Of an index: its manifests, an index in an index (one image for several platforms), and so on. */
const MAX_INDEX_DEPTH = 3;
const MAX_IMAGES = 64;
const REF_NAME = 'org.opencontainers.image.ref.name';
const FULL_NAME = 'io.containerd.image.name';
const LAYER_TYPE = /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\.[a-z0-9.]*tar([.+](gzip|zstd))?$/;
const HEX_NAME = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/;

/**
 * Every image of an archive that is, as far as the archive says, for boards of `architecture` (`arm64`); of one image for
 * several platforms, the one that suits best.
 * @throws ImageError ArchiveInvalid
 */
export async function readArchive(files: ArchiveFiles, architecture: string): Promise<ArchiveContent> {
  // `docker save` of newer docker versions writes both forms; the OCI one states digests.
  if (files.has('oci-layout') && files.has('index.json')) {
    const content: ArchiveContent = { images: [], otherPlatforms: [] };
    const index = await files.json(files.file('index.json'), 'index.json');
    await readIndex({ files, architecture, content }, object(index), [], MAX_INDEX_DEPTH);
    return content;
  }
  if (files.has('manifest.json')) return { images: await readDocker(files), otherPlatforms: [] };
  throw invalid('this is no image archive: neither index.json (OCI) nor manifest.json (docker) is in it');
}

interface Reading {
  files: ArchiveFiles;
  architecture: string;
  content: ArchiveContent;
}

async function readIndex(reading: Reading, index: Json, inherited: string[], depth: number): Promise<void> {
  if (depth === 0) throw invalid('the image index has indexes in indexes in indexes');
  const descriptors = list(index.manifests, 'manifests of an image index').map(object);
  for (const { descriptor, names } of suitable(reading, descriptors, inherited)) {
    await readDescriptor(reading, descriptor, names, depth);
    if (reading.content.images.length > MAX_IMAGES) throw invalid(`more than ${MAX_IMAGES} images`);
  }
}

interface Entry {
  descriptor: Json;
  names: string[];
}

/**
 * Under each name the entries that suit the board best, and those that say nothing of their platform. The others are
 * not looked into: a partial copy lacks their blobs.
 */
function suitable({ architecture, content }: Reading, descriptors: Json[], inherited: string[]): Entry[] {
  const best = new Map<string, number>();
  const entries = descriptors.map((descriptor) => {
    const own = ownNames(descriptor);
    const names = own.length > 0 ? own : inherited;
    const platform = platformOf(descriptor.platform);
    const rank = platform && suitability(platform, architecture);
    const key = names.join();
    if (rank !== undefined) best.set(key, Math.min(rank, best.get(key) ?? rank));
    return { descriptor, names, platform, rank, key };
  });
  const chosen = entries.filter(
    ({ platform, rank, key }) => !platform || (rank !== undefined && rank === best.get(key)),
  );
  for (const entry of entries) {
    // Attestations are listed as images for "unknown/unknown".
    if (!entry.platform || entry.platform.os === 'unknown' || chosen.includes(entry)) continue;
    content.otherPlatforms.push(entry.platform);
  }
  return chosen;
}

async function readDescriptor(reading: Reading, descriptor: Json, names: string[], depth: number): Promise<void> {
  const { files, content } = reading;
  const digest = String(descriptor.digest);
  const manifest = object(await files.json(files.blob(digest), 'an image manifest', digest));
  if (manifest.manifests !== undefined) return readIndex(reading, manifest, names, depth - 1);
  const config = object(manifest.config);
  if (!/image|container/.test(String(config.mediaType ?? 'image'))) return; // a chart, a signature, …
  const configDigest = String(config.digest);
  content.images.push({
    names,
    config: await files.text(files.blob(configDigest), configDigest),
    manifestDigest: digest,
    layers: list(manifest.layers, 'layers of an image manifest').map((item) => {
      const { mediaType, digest: layerDigest } = object(item);
      if (mediaType !== undefined && !LAYER_TYPE.test(String(mediaType)))
        throw invalid(`a layer is ${shown(mediaType)}: tar, tar+gzip and tar+zstd are supported`);
      return { ...files.blob(layerDigest), digest: String(layerDigest) };
    }),
  });
}

async function readDocker(files: ArchiveFiles): Promise<ArchiveImage[]> {
  const manifests = list(await files.json(files.file('manifest.json'), 'manifest.json'), 'manifest.json');
  if (manifests.length > MAX_IMAGES) throw invalid(`more than ${MAX_IMAGES} images`);
  const images: ArchiveImage[] = [];
  for (const item of manifests) {
    const { Config, RepoTags, Layers } = object(item);
    const config = await files.text(files.file(String(Config)));
    const named = HEX_NAME.exec(String(Config))?.[1];
    if (named !== undefined && sha256(config) !== `sha256:${named}`)
      throw invalid(`the image configuration is ${sha256(config)}, its name says ${named}`);
    images.push({
      names: Array.isArray(RepoTags) ? RepoTags.map(String) : [],
      config,
      // Layer files may be named by anything; the configuration's diff ids are what they are held against.
      layers: list(Layers, 'Layers in manifest.json').map((name) => files.file(String(name))),
    });
  }
  return images;
}

function ownNames({ annotations }: Json): string[] {
  if (typeof annotations !== 'object' || annotations === null) return [];
  const { [FULL_NAME]: full, [REF_NAME]: name } = annotations as Json;
  const chosen = full ?? name;
  return typeof chosen === 'string' ? [chosen] : [];
}

function platformOf(value: unknown): Platform | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { os, architecture, variant } = value as Json;
  return {
    os: String(os),
    architecture: String(architecture),
    ...(typeof variant === 'string' && { variant }),
  };
}

function object(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw invalid(`expected an object in the archive's documents, found ${shown(value)}`);
}

function list(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(`the ${what} must be a list, found ${shown(value)}`);
}
