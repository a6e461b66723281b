/**
 * What is known about each image, once more as a file beside its layers: `<dir>/records/<hex of id>.json`. The database
 * is where images are looked up; when it had to be restored or begun anew on a board without a network, these bring the
 * images back.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImageConfig } from './image-config.ts';
import type { ImageRepo, StoredImage } from './image-repo.ts';
import { type LayerStore, syncDirectory, writeDurably } from './layer-store.ts';

export class ImageRecords {
  #dir: string;
  #tmp: string;

  constructor(dir: string, tmp: string) {
    this.#dir = join(dir, 'records');
    this.#tmp = tmp;
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
  }

  /** Before the database forgets an image, so that what is found here and not there was lost. */
  async forget(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
    await syncDirectory(this.#dir);
  }

  /** Brings the files up to date with the database. Call with the lock held. */
  async update(images: StoredImage[]): Promise<void> {
    for (const { id, config, refs } of images) {
      const text = JSON.stringify({ config, refs });
      if (this.#read(id) === text) continue;
      const temporary = join(this.#tmp, `record-${id.slice(7, 23)}`);
      await writeDurably(temporary, text);
      await rename(temporary, this.#path(id));
    }
    await syncDirectory(this.#dir);
  }

  /** Puts images the database has lost, and whose layers are all here, back into it; returns their ids. */
  restore(repo: ImageRepo, layers: LayerStore): string[] {
    const ids = readdirSync(this.#dir).map((name) => `sha256:${name.replace(/\.json$/, '')}`);
    return ids.filter((id) => !repo.get(id) && this.#restoreOne(id, repo, layers));
  }

  #restoreOne(id: string, repo: ImageRepo, layers: LayerStore): boolean {
    try {
      const { config, refs } = JSON.parse(this.#read(id) ?? '') as { config: string; refs: string[] };
      const { os, architecture, diffIds } = parseImageConfig(config);
      const found = diffIds.map((diffId) => ({ diffId, size: layers.info(diffId)?.bytes }));
      if (!found.every((layer): layer is { diffId: string; size: number } => layer.size !== undefined)) return false;
      // A name that leads to another image by now was given away.
      repo.save({ id, config, os, architecture, layers: found, refs: refs.filter((ref) => !repo.byRef(ref)) });
      return true;
    } catch {
      return false; // a record cut short is as good as none: the image has to be loaded again
    }
  }

  #read(id: string): string | undefined {
    try {
      return readFileSync(this.#path(id), 'utf8');
    } catch {
      return undefined;
    }
  }

  #path(id: string): string {
    return join(this.#dir, `${id.slice('sha256:'.length)}.json`);
  }
}
