/** Image archives: docker-archive (`docker save`) and OCI archive, read in place through their table of contents. */
import { type FileHandle, open } from 'node:fs/promises';
import { posix } from 'node:path';
import { ImageError } from './errors.ts';
import type { IndexEntry } from './unpacker.ts';

export interface ArchiveLayer {
  offset: number;
  size: number;
  /** Of the blob; docker archives do not state one. */
  digest?: string;
}

export interface ArchiveImage {
  /** Names in the archive, as written there; may be empty. */
  names: string[];
  /** The OCI image configuration, JSON text. */
  config: string;
  configDigest?: string;
  /** Lowest first. */
  layers: ArchiveLayer[];
  /** `os/architecture` as the archive's index has it, if it does. */
  platform?: string;
}

interface Descriptor {
  mediaType?: string;
  digest: string;
  size: number;
  platform?: { os?: string; architecture?: string };
  annotations?: Record<string, string>;
}

/** JSON documents of an archive are small; a larger one is an attack. */
const MAX_DOCUMENT = 4 << 20;
const MAX_INDEX_DEPTH = 3;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REF_NAME = 'org.opencontainers.image.ref.name';
const FULL_NAME = 'io.containerd.image.name';

/** Every image of an archive. @throws ImageError ArchiveInvalid */
export async function readArchive(file: string, entries: IndexEntry[]): Promise<ArchiveImage[]> {
  const handle = await open(file);
  try {
    const reader = new ArchiveReader(handle, entries);
    // A docker archive of newer docker versions is both; its OCI half states digests.
    if (reader.has('index.json') && reader.has('oci-layout')) return await readOci(reader);
    if (reader.has('manifest.json')) return await readDocker(reader);
    throw new ImageError(
      'ArchiveInvalid',
      `${file} is no image archive: neither manifest.json nor index.json is in it`,
    );
  } finally {
    await handle.close();
  }
}

class ArchiveReader {
  #handle: FileHandle;
  #entries = new Map<string, IndexEntry>();

  constructor(handle: FileHandle, entries: IndexEntry[]) {
    this.#handle = handle;
    for (const entry of entries) this.#entries.set(entry.name, entry);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** A file, links followed inside the archive (old docker archives link equal layers). */
  file(name: string): IndexEntry {
    let entry = this.#entries.get(name);
    for (let hops = 0; entry && entry.type !== 'file'; hops++) {
      if (hops > 8 || entry.link === undefined) break;
      const target = entry.type === 'symlink' ? posix.join(posix.dirname(entry.name), entry.link) : entry.link;
      entry = this.#entries.get(posix.normalize(target).replace(/^\.\//, ''));
    }
    if (entry?.type !== 'file')
      throw new ImageError('ArchiveInvalid', `the archive names ${name}, but it is not in it`);
    return entry;
  }

  blob(digest: string): IndexEntry {
    if (!DIGEST.test(digest)) throw new ImageError('ArchiveInvalid', `"${digest.slice(0, 80)}" is not a sha256 digest`);
    return this.file(`blobs/sha256/${digest.slice('sha256:'.length)}`);
  }

  async text({ name, offset, size }: IndexEntry): Promise<string> {
    if (size > MAX_DOCUMENT)
      throw new ImageError('ArchiveInvalid', `${name} has ${size} bytes, at most ${MAX_DOCUMENT} are read`);
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(size), 0, size, offset);
    if (bytesRead !== size) throw new ImageError('ArchiveInvalid', `the archive ends inside ${name}`);
    return buffer.toString();
  }

  async json<T>(entry: IndexEntry): Promise<T> {
    try {
      return JSON.parse(await this.text(entry)) as T;
    } catch (error) {
      if (error instanceof ImageError) throw error;
      throw new ImageError('ArchiveInvalid', `${entry.name} is not JSON: ${(error as Error).message}`);
    }
  }
}

async function readDocker(reader: ArchiveReader): Promise<ArchiveImage[]> {
  const list = await reader.json<{ Config?: string; RepoTags?: string[] | null; Layers?: string[] }[]>(
    reader.file('manifest.json'),
  );
  if (!Array.isArray(list)) throw new ImageError('ArchiveInvalid', 'manifest.json must be a list');
  return Promise.all(
    list.map(async ({ Config, RepoTags, Layers }) => {
      if (typeof Config !== 'string' || !Array.isArray(Layers))
        throw new ImageError('ArchiveInvalid', 'manifest.json lacks Config or Layers');
      return {
        names: Array.isArray(RepoTags) ? RepoTags.map(String) : [],
        config: await reader.text(reader.file(Config)),
        layers: Layers.map((name) => {
          const { offset, size } = reader.file(String(name));
          return { offset, size };
        }),
      };
    }),
  );
}

async function readOci(reader: ArchiveReader): Promise<ArchiveImage[]> {
  const index = await reader.json<{ manifests?: Descriptor[] }>(reader.file('index.json'));
  return readManifests(reader, index.manifests, [], MAX_INDEX_DEPTH);
}

/** Image manifests, and indexes of indexes (an image for several platforms). */
async function readManifests(
  reader: ArchiveReader,
  descriptors: Descriptor[] | undefined,
  inherited: string[],
  depth: number,
): Promise<ArchiveImage[]> {
  if (!Array.isArray(descriptors) || depth === 0)
    throw new ImageError('ArchiveInvalid', 'the image index has no manifests, or too deep ones');
  const images: ArchiveImage[] = [];
  for (const descriptor of descriptors) {
    const names = [descriptor.annotations?.[FULL_NAME] ?? descriptor.annotations?.[REF_NAME] ?? []].flat();
    const entry = reader.blob(descriptor.digest);
    const document = await reader.json<{ manifests?: Descriptor[]; config?: Descriptor; layers?: Descriptor[] }>(entry);
    if (document.manifests) {
      images.push(
        ...(await readManifests(reader, document.manifests, names.length > 0 ? names : inherited, depth - 1)),
      );
      continue;
    }
    const { config, layers } = document;
    if (!config || !Array.isArray(layers))
      throw new ImageError('ArchiveInvalid', `manifest ${descriptor.digest} lacks config or layers`);
    if (!/image|config/.test(config.mediaType ?? 'image')) continue; // an attestation or another artifact
    images.push({
      names: names.length > 0 ? names : inherited,
      config: await reader.text(reader.blob(config.digest)),
      configDigest: config.digest,
      layers: layers.map(({ digest }) => {
        const { offset, size } = reader.blob(digest);
        return { offset, size, digest };
      }),
      ...(descriptor.platform && { platform: `${descriptor.platform.os}/${descriptor.platform.architecture}` }),
    });
  }
  return images;
}
