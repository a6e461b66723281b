/**
 * Unpacked layers, `<dir>/layers/<diffid>`: each there completely or not at all. Extraction goes to `<dir>/tmp`, is
 * flushed, and appears by rename.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerInput, Unpacker } from './unpacker.ts';

export class LayerStore {
  #layers: string;
  #tmp: string;
  #unpacker: Unpacker;

  constructor(dir: string, unpacker: Unpacker) {
    this.#layers = join(dir, 'layers');
    this.#tmp = join(dir, 'tmp');
    this.#unpacker = unpacker;
    // Nobody but root may look through here: layers hold set-uid files (CVE-2021-41091, CVE-2024-25621).
    for (const path of [dir, this.#layers, this.#tmp]) mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** Directory of a layer, for overlayfs. */
  path(diffId: string): string {
    return join(this.#layers, diffId.slice('sha256:'.length));
  }

  has(diffId: string): boolean {
    return existsSync(this.path(diffId));
  }

  /** Extracts a layer; returns its size on disk in bytes. Nothing is visible if it fails. */
  async add(blob: Omit<LayerInput, 'target'>): Promise<number> {
    const name = randomBytes(8).toString('hex');
    const target = join(this.#tmp, name);
    await mkdir(target, { mode: 0o755 });
    try {
      const { bytes } = await this.#unpacker.layer({ ...blob, target });
      await rename(target, this.path(blob.diffId));
      await syncDirectory(this.#layers);
      return bytes;
    } catch (error) {
      await this.#unpacker.remove(this.#tmp, [name]);
      throw error;
    }
  }

  async remove(diffId: string): Promise<void> {
    // Out of sight first: a removal that is cut short must not leave half a layer under its name.
    const name = randomBytes(8).toString('hex');
    await rename(this.path(diffId), join(this.#tmp, name));
    await this.#unpacker.remove(this.#tmp, [name]);
  }

  /** Removes what an interrupted load left, and layers nobody knows. Call with the lock held. */
  async sweep(known: ReadonlySet<string>): Promise<void> {
    const directories = await readdir(this.#layers);
    await this.#unpacker.remove(
      this.#layers,
      directories.filter((name) => !known.has(`sha256:${name}`)),
    );
    await this.#unpacker.remove(this.#tmp, await readdir(this.#tmp));
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
