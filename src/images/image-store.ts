/**
 * The images of this board: loaded from archives, unpacked once per layer, found by reference.
 *
 * INVARIANTS
 * - Whoever changes anything holds the lock `<dir>/lock`: the command line and the agent are different processes.
 *   Reading needs none: layers appear and disappear by rename, the database by transaction.
 * - Layers are on the disk before the database names them, and forgotten there before they go.
 */
import { watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Image, ImageSource } from '../pods/ports.ts';
import { ImageError } from './errors.ts';
import { isNeeded, type Needed } from './garbage.ts';
import type { Hardware } from './hardware.ts';
import { parseImageConfig } from './image-config.ts';
import { ImageRecords } from './image-records.ts';
import type { ImageRepo, StoredImage } from './image-repo.ts';
import { LayerStore } from './layer-store.ts';
import { unpackImages } from './loader.ts';
import { normalise } from './reference.ts';
import type { Unpacker } from './unpacker.ts';

export interface LoadedImage {
  id: string;
  /** Names it can be used by, normalised, without digests. */
  refs: string[];
  layersNew: number;
  layersShared: number;
}

export interface LoadOptions {
  /** Reference to give the image instead of the archive's own names. */
  name?: string;
  /** One line for people a step. */
  progress?: (line: string) => void;
}

export interface ImageStoreOptions {
  /** `<data-dir>/images`, made if missing. */
  dir: string;
  repo: ImageRepo;
  unpacker: Unpacker;
  hardware: Hardware;
}

/** Touched after every change: the agent watches it, since loading happens in another process. */
const CHANGE_MARK = 'changed';

export class ImageStore implements ImageSource {
  #dir: string;
  #repo: ImageRepo;
  #layers: LayerStore;
  #records: ImageRecords;
  #unpacker: Unpacker;
  #hardware: Hardware;

  constructor({ dir, repo, unpacker, hardware }: ImageStoreOptions) {
    this.#dir = dir;
    this.#repo = repo;
    this.#unpacker = unpacker;
    this.#layers = new LayerStore(dir, unpacker);
    this.#records = new ImageRecords(dir, this.#layers.tmp);
    this.#hardware = hardware;
    this.#records.restore(repo, this.#layers);
  }

  /**
   * The image a container runs. There is no registry to ask: an image that was loaded is authoritative, whatever the
   * policy; one that was not cannot be had.
   */
  async ensure(ref: string, policy: 'Always' | 'IfNotPresent' | 'Never'): Promise<Image> {
    const normalised = normalise(ref);
    const stored = this.#repo.byRef(normalised);
    if (stored) {
      // The card may come from a board with other processors.
      if (!(await this.#hardware.runs(stored))) throw this.#hardware.refusal([stored]);
      return this.#image(stored, normalised);
    }
    if (policy === 'Never')
      throw new ImageError('ErrImageNeverPull', `Container image "${ref}" is not present with pull policy of Never`);
    throw new ImageError(
      'ErrImagePull',
      `image "${ref}" (${normalised}) is not on this board; load it: edgepod image load FILE`,
    );
  }

  /**
   * Loads every image of an archive that is for this board. Atomic per image: interrupted, it is not there.
   * @throws ImageError ArchiveInvalid, WrongPlatform, InvalidImageName (of `name`), LoadFailed
   */
  async load(file: string, { name, progress = () => {} }: LoadOptions = {}): Promise<LoadedImage[]> {
    if (name !== undefined) normalise(name);
    return this.#locked(async () => {
      await this.#layers.sweep(new Set(this.#repo.layers().map(({ diffId }) => diffId)));
      const parts = { layers: this.#layers, unpacker: this.#unpacker, hardware: this.#hardware };
      const loaded: LoadedImage[] = [];
      await unpackImages(parts, { path: resolve(file), name, progress }, async (image) => {
        const { id, layersNew, layersShared, refs } = image;
        this.#repo.save(image);
        await this.#records.update(this.#repo.list());
        loaded.push({ id, refs: refs.filter(isTag), layersNew, layersShared });
      });
      return loaded;
    });
  }

  /** Oldest first; references without digests. */
  list(): StoredImage[] {
    return this.#repo.list().map((image) => ({ ...image, refs: image.refs.filter(isTag) }));
  }

  /**
   * Removes a reference, and with its last one the image. By id (`sha256:…` or at least 12 digits of it) all go.
   * @param needed what pods need: an image that one runs keeps its last reference, and one that is found by a name keeps it
   * @throws ImageError NoSuchImage, ImageInUse
   */
  async remove(ref: string, needed: Needed): Promise<{ untagged: string[]; removed: boolean }> {
    return this.#locked(async () => {
      const { stored, refs } = this.#named(ref);
      const last = stored.refs.filter(isTag).every((tag) => refs.includes(tag));
      if (refs.some((name) => needed.refs.has(name)) || (last && isNeeded(stored, needed)))
        throw new ImageError('ImageInUse', `image "${ref}" is needed by a pod: delete the pod first`);
      if (last) await this.#forget(stored.id);
      else for (const gone of refs) this.#repo.untag(gone);
      await this.#records.update(this.#repo.list());
      await this.#removeUnlinked();
      return { untagged: refs, removed: last };
    });
  }

  /**
   * Removes images one by one, with the layers nothing else has, until there is enough room.
   * @param next chooses what goes next, anew each time as pods come and go; undefined ends it
   * @returns ids of the images removed
   */
  async removeUnused(next: (images: StoredImage[]) => StoredImage | undefined): Promise<string[]> {
    if (next(this.#repo.list()) === undefined) return [];
    return this.#locked(async () => {
      const removed: string[] = [];
      for (let image = next(this.#repo.list()); image; image = next(this.#repo.list())) {
        await this.#records.forget(image.id);
        // A pod that needs it may have come while the disk was written to.
        if (next(this.#repo.list())?.id !== image.id) {
          await this.#records.update(this.#repo.list());
          continue;
        }
        this.#repo.remove(image.id);
        await this.#removeUnlinked();
        removed.push(image.id);
      }
      return removed;
    });
  }

  /** Calls `listener` after another process loaded or removed an image; returns how to stop. */
  onChange(listener: () => void): () => void {
    const watcher = watch(this.#dir, (_, name) => {
      if (name === CHANGE_MARK) listener();
    });
    watcher.unref();
    return () => watcher.close();
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const unlock = await this.#unpacker.lock(join(this.#dir, 'lock'));
    try {
      const result = await work();
      await writeFile(join(this.#dir, CHANGE_MARK), '', { mode: 0o600 });
      return result;
    } finally {
      await unlock();
    }
  }

  async #forget(id: string): Promise<void> {
    await this.#records.forget(id);
    this.#repo.remove(id);
  }

  async #removeUnlinked(): Promise<void> {
    // Forgotten first: a layer directory nobody knows is swept, a known layer without directory would break a pod.
    for (const { diffId } of this.#repo.unlinkedLayers())
      if (this.#repo.removeLayer(diffId)) await this.#layers.remove(diffId);
  }

  /** The image a person means, and which of its references. A name goes before an id that looks like one. */
  #named(text: string): { stored: StoredImage; refs: string[] } {
    const hex = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(text)?.[1];
    const byName = text.startsWith('sha256:') ? undefined : this.#repo.byRef(normalise(text));
    if (byName) return { stored: byName, refs: [normalise(text)] };
    const byId = hex === undefined ? [] : this.#repo.list().filter(({ id }) => id.startsWith(`sha256:${hex}`));
    if (byId.length === 1) return { stored: byId[0]!, refs: byId[0]!.refs.filter(isTag) };
    if (byId.length > 1) throw new ImageError('NoSuchImage', `"${text}" is the beginning of ${byId.length} image ids`);
    throw new ImageError('NoSuchImage', `image "${text}" is not on this board: see edgepod image list`);
  }

  #image({ id, config, os, architecture, layers }: StoredImage, ref: string): Image {
    const found = this.#layers.lowerDirs(layers);
    if ('missing' in found)
      throw new ImageError('ImageInspectError', `layer ${found.missing} of "${ref}" is missing on disk: load it again`);
    return { id, ref, os, architecture, config: parseImageConfig(config).config, lowerDirs: found.dirs };
  }
}

function isTag(ref: string): boolean {
  return !ref.includes('@');
}
