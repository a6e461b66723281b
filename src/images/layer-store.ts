/**
 * Unpacked layers on disk.
 *
 *   <dir>/layers/<hex of diffid>/{fs/, layer.json}     complete, or not there
 *   <dir>/tmp/                                         work in progress; emptied by whoever takes the lock next
 *
 * INVARIANT: a directory under layers/ appears by one rename, after everything in it has reached the disk.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageError } from './errors.ts';
import type { LayerInput, LayerReport, Unpacker } from './unpacker.ts';

/** Per layer. */
const MAX_LAYER = 16 * 2 ** 30;
/** Left free for logs, the database and the pods' own writes. */
const RESERVE = 64 * 2 ** 20;

export class LayerStore {
  /** Free for work in progress while the lock is held. */
  readonly tmp: string;
  #layers: string;
  #unpacker: Unpacker;

  constructor(dir: string, unpacker: Unpacker) {
    this.#layers = join(dir, 'layers');
    this.tmp = join(dir, 'tmp');
    this.#unpacker = unpacker;
    // Nobody but root may look through here: layers hold set-uid files (CVE-2021-41091, CVE-2024-25621).
    for (const path of [dir, this.#layers, this.tmp]) mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** What was found out when the layer was unpacked; undefined if it is not here. */
  info(diffId: string): LayerReport | undefined {
    try {
      return JSON.parse(readFileSync(join(this.#path(diffId), 'layer.json'), 'utf8')) as LayerReport;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * overlayfs lower directories, topmost first, for layers given lowest first; undefined and the missing one's diff id if
   * a layer is not here. A layer that hides everything below it ends the list (overlayfs merges top directories whatever
   * is marked on them), and one that occurs twice is named once, as the mount refuses doubles: its upper place hides all
   * the lower one could show.
   */
  lowerDirs(diffIds: string[]): { dirs: string[] } | { missing: string } {
    const dirs: string[] = [];
    let hidden = false;
    for (const diffId of diffIds.toReversed()) {
      const layer = this.info(diffId);
      if (!layer) return { missing: diffId };
      const dir = join(this.#path(diffId), 'fs');
      if (!hidden && !dirs.includes(dir)) dirs.push(dir);
      hidden ||= layer.opaqueRoot;
    }
    return { dirs };
  }

  /** Extracts a layer. Nothing is visible if it fails. */
  async add(blob: Omit<LayerInput, 'target' | 'maxBytes'>): Promise<LayerReport> {
    const name = randomBytes(8).toString('hex');
    const work = join(this.tmp, name);
    const target = join(work, 'fs');
    await mkdir(work, { mode: 0o700 });
    await mkdir(target, { mode: 0o755 });
    try {
      const report = await this.#unpacker.layer({ ...blob, target, maxBytes: await this.room() });
      await writeDurably(join(work, 'layer.json'), JSON.stringify(report));
      await syncDirectory(work);
      // What `info` does not call a layer is none, whatever it is.
      await this.remove(blob.diffId);
      await rename(work, this.#path(blob.diffId));
      await syncDirectory(this.#layers);
      return report;
    } catch (error) {
      await this.#unpacker.remove(this.tmp, [name]);
      throw error;
    }
  }

  async remove(diffId: string): Promise<void> {
    // Out of sight first: a removal that is cut short must not leave half a layer under its name.
    const name = randomBytes(8).toString('hex');
    try {
      await rename(this.#path(diffId), join(this.tmp, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    await this.#unpacker.remove(this.tmp, [name]);
  }

  /** Removes what an interrupted load left, and layers nobody knows. Call with the lock held. */
  async sweep(known: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#layers))
      if (!known.has(`sha256:${name}`)) await this.remove(`sha256:${name}`);
    await this.#unpacker.remove(this.tmp, await readdir(this.tmp));
  }

  /** Bytes that may still be written. @throws ImageError LoadFailed if there is nothing left */
  async room(): Promise<number> {
    const { bavail, bsize } = await statfs(this.tmp);
    const room = Math.min(MAX_LAYER, bavail * bsize - RESERVE);
    if (room > 0) return room;
    throw new ImageError(
      'LoadFailed',
      `no space left for images in ${this.#layers}: remove some (edgepod image remove)`,
    );
  }

  #path(diffId: string): string {
    return join(this.#layers, diffId.slice('sha256:'.length));
  }
}

/** A new file whose content is on the disk when this returns. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
