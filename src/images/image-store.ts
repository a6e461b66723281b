/** The images of this board: loaded from archives, unpacked once per layer, found by reference. */
import { createHash, randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Image, ImageSource } from '../pods/ports.ts';
import { type ArchiveImage, readArchive } from './archive.ts';
import { ImageError } from './errors.ts';
import { parseImageConfig } from './image-config.ts';
import type { ImageRepo, StoredImage } from './image-repo.ts';
import { LayerStore } from './layer-store.ts';
import { normalise } from './reference.ts';
import type { Unpacker } from './unpacker.ts';

export interface LoadedImage {
  id: string;
  refs: string[];
  layersNew: number;
  layersShared: number;
}

export interface LoadOptions {
  /** Reference to give the image instead of the archive's own names. */
  name?: string;
  progress?: (line: string) => void;
}

/** A compressed outer archive is written out plain up to this size. */
const MAX_ARCHIVE = 16 * 2 ** 30;
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] };
/** Touched after every change: the agent watches it, since loading happens in another process. */
const CHANGE_MARK = 'changed';

export class ImageStore implements ImageSource {
  #dir: string;
  #repo: ImageRepo;
  #layers: LayerStore;
  #unpacker: Unpacker;
  #platform: { os: string; architecture: string };

  /** @param dir `<data-dir>/images`, made if missing */
  constructor({
    dir,
    repo,
    unpacker,
    architecture,
  }: { dir: string; repo: ImageRepo; unpacker: Unpacker; architecture: string }) {
    this.#dir = dir;
    this.#repo = repo;
    this.#unpacker = unpacker;
    this.#layers = new LayerStore(dir, unpacker);
    this.#platform = { os: 'linux', architecture };
  }

  /**
   * The image a container runs. There is no registry to ask: an image that was loaded is authoritative, whatever the
   * policy; one that was not cannot be had.
   */
  async ensure(ref: string, policy: 'Always' | 'IfNotPresent' | 'Never'): Promise<Image> {
    const normalised = normalise(ref);
    const stored = this.#find(ref, normalised);
    if (stored) return this.#image(stored, normalised);
    if (policy === 'Never')
      throw new ImageError('ErrImageNeverPull', `Container image "${ref}" is not present with pull policy of Never`);
    throw new ImageError(
      'ErrImagePull',
      `image "${ref}" (${normalised}) is not on this board; load it: edgepod image load FILE`,
    );
  }

  /**
   * Loads every image of an archive that is for this board. Atomic per image: interrupted, it is not there.
   * @throws ImageError that says what is wrong with the archive
   */
  async load(file: string, { name, progress = () => {} }: LoadOptions = {}): Promise<LoadedImage[]> {
    const path = resolve(file);
    const unlock = await this.#unpacker.lock(join(this.#dir, 'lock'));
    let plain: string | undefined;
    try {
      await this.#layers.sweep(new Set(this.#repo.layers().map(({ diffId }) => diffId)));
      if (await isCompressed(path)) {
        plain = join(this.#dir, 'tmp', randomBytes(8).toString('hex'));
        progress('decompressing the archive');
        await this.#unpacker.plain(path, plain, MAX_ARCHIVE);
      }
      const archive = plain ?? path;
      const images = await readArchive(archive, await this.#unpacker.index(archive));
      const loaded: LoadedImage[] = [];
      for (const image of this.#forThisBoard(images)) loaded.push(await this.#loadOne(archive, image, name, progress));
      return loaded;
    } finally {
      if (plain) await rm(plain, { force: true });
      await this.#changed();
      await unlock();
    }
  }

  list(): StoredImage[] {
    return this.#repo.list();
  }

  /**
   * Removes a reference, and the image with its last one.
   * @param inUse ids of images that pods need; such an image is refused
   */
  async remove(ref: string, inUse: ReadonlySet<string>): Promise<{ untagged: string[]; removed: boolean }> {
    const stored = this.#byIdPrefix(ref) ?? this.#repo.byRef(normalise(ref));
    if (!stored) throw new ImageError('NoSuchImage', `image "${ref}" is not on this board: see edgepod image list`);
    const refs = ref === stored.id || this.#byIdPrefix(ref) ? stored.refs : [normalise(ref)];
    const last = refs.length >= stored.refs.length;
    if (last && inUse.has(stored.id))
      throw new ImageError('ImageInUse', `image "${ref}" is needed by a pod: delete the pod first`);
    const unlock = await this.#unpacker.lock(join(this.#dir, 'lock'));
    try {
      for (const gone of refs) this.#repo.untag(gone);
      if (last) this.#repo.remove(stored.id);
      // Forgotten first: a layer directory nobody knows is swept, a known layer without directory would break a pod.
      for (const { diffId } of this.#repo.unlinkedLayers())
        if (this.#repo.removeLayer(diffId)) await this.#layers.remove(diffId);
    } finally {
      await this.#changed();
      await unlock();
    }
    return { untagged: refs, removed: last };
  }

  /** Calls `listener` after another process loaded or removed an image; returns how to stop. */
  onChange(listener: () => void): () => void {
    const watcher = watch(this.#dir, (_, name) => {
      if (name === CHANGE_MARK) listener();
    });
    watcher.unref();
    return () => watcher.close();
  }

  async #loadOne(
    file: string,
    image: ArchiveImage,
    name: string | undefined,
    progress: (line: string) => void,
  ): Promise<LoadedImage> {
    const { os, architecture, diffIds } = parseImageConfig(image.config);
    const id = `sha256:${createHash('sha256').update(image.config).digest('hex')}`;
    if (image.configDigest !== undefined && image.configDigest !== id)
      throw new ImageError(
        'ArchiveInvalid',
        `the image configuration is ${id}, the manifest says ${image.configDigest}`,
      );
    if (diffIds.length !== image.layers.length)
      throw new ImageError(
        'ArchiveInvalid',
        `the configuration names ${diffIds.length} layers, the manifest ${image.layers.length}`,
      );
    const refs = references(image.names, name, id);
    const known = new Map(this.#repo.layers().map(({ diffId, size }) => [diffId, size]));
    const layers: { diffId: string; size: number }[] = [];
    let layersNew = 0;
    for (const [index, diffId] of diffIds.entries()) {
      const present = this.#layers.has(diffId) ? known.get(diffId) : undefined;
      if (present !== undefined) {
        layers.push({ diffId, size: present });
        continue;
      }
      progress(`layer ${index + 1}/${diffIds.length}`);
      layers.push({ diffId, size: await this.#layers.add({ file, diffId, ...image.layers[index]! }) });
      known.set(diffId, layers.at(-1)!.size);
      layersNew += 1;
    }
    this.#repo.save({ id, config: image.config, os, architecture, layers, refs });
    return { id, refs, layersNew, layersShared: layers.length - layersNew };
  }

  /** Images of an archive this board can run; with none, the reason names both platforms. */
  #forThisBoard(images: ArchiveImage[]): ArchiveImage[] {
    const own = `${this.#platform.os}/${this.#platform.architecture}`;
    const platforms = images.map(({ config }) => {
      const { os, architecture } = parseImageConfig(config);
      return `${os}/${architecture}`;
    });
    const fitting = images.filter((_, index) => platforms[index] === own);
    if (fitting.length > 0) return fitting;
    throw new ImageError(
      'ArchiveInvalid',
      `the image is for ${[...new Set(platforms)].join(', ') || 'nothing'}, this board is ${own}`,
    );
  }

  #find(ref: string, normalised: string): StoredImage | undefined {
    return this.#repo.byRef(normalised) ?? (ref.startsWith('sha256:') ? this.#repo.get(ref) : undefined);
  }

  /** `sha256:…`, or at least 12 digits of it. */
  #byIdPrefix(text: string): StoredImage | undefined {
    const hex = text.replace(/^sha256:/, '');
    if (!/^[0-9a-f]{12,64}$/.test(hex)) return undefined;
    return this.#repo.list().find(({ id }) => id.startsWith(`sha256:${hex}`));
  }

  #image({ id, config, os, architecture, layers }: StoredImage, ref: string): Image {
    const missing = layers.find((diffId) => !this.#layers.has(diffId));
    if (missing)
      throw new ImageError(
        'ImageInspectError',
        `layer ${missing} of "${ref}" is missing on disk; load the image again`,
      );
    return {
      id,
      ref,
      os,
      architecture,
      config: parseImageConfig(config).config,
      lowerDirs: layers.map((diffId) => this.#layers.path(diffId)).reverse(),
    };
  }

  async #changed(): Promise<void> {
    await writeFile(join(this.#dir, CHANGE_MARK), '', { mode: 0o600 });
  }
}

/** The names to store an image under; one without a usable name is found by its id alone. */
function references(names: string[], given: string | undefined, id: string): string[] {
  if (given !== undefined) return [normalise(given)];
  const refs = names.flatMap((name) => {
    try {
      return [normalise(name)];
    } catch {
      return []; // a name only its own tool understands
    }
  });
  if (refs.length === 0)
    throw new ImageError(
      'ArchiveInvalid',
      `image ${id.slice(0, 19)} has no name in the archive: give it one with --name`,
    );
  return refs;
}

async function isCompressed(file: string): Promise<boolean> {
  const handle = await openRegular(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return Object.values(MAGIC).some((magic) => magic.every((byte, at) => buffer[at] === byte));
  } finally {
    await handle.close();
  }
}

async function openRegular(file: string) {
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new ImageError('ArchiveInvalid', error.code === 'ENOENT' ? `there is no file ${file}` : error.message);
  });
  if (!info.isFile())
    throw new ImageError('ArchiveInvalid', `${file} is not a file: image archives are files (docker save, skopeo)`);
  return open(file);
}
