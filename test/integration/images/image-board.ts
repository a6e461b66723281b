/** An image store of its own for a test file: real database, real unpacker, a directory that goes away. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hardware } from '../../../src/images/hardware.ts';
import { ImageStore } from '../../../src/images/image-store.ts';
import { Unpacker } from '../../../src/images/unpacker.ts';
import { nativeDir } from '../../../src/runtime/native.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { type Compression, type RunConfig, writeArchive } from '../../images/oci-writer.ts';
import { type Arch, hostArch } from '../../images/programs.ts';
import { type TarEntry, tar } from '../../images/tar-writer.ts';
import { writeLayer } from '../../images/tiny.ts';

export const unpackerPath = join(nativeDir(), 'edgepod-unpack');
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** No pod needs anything. */
export const NO_NEED = { refs: new Set<string>(), ids: new Set<string>(), nameless: false };

export class ImageBoard {
  readonly root = mkdtempSync(join(tmpdir(), 'edgepod-images-'));
  readonly dir = join(this.root, 'images');
  readonly hardware: Hardware;
  store: Store;
  images: ImageStore;

  constructor(hardware = new Hardware(hostArch, async () => false)) {
    this.hardware = hardware;
    this.store = openStore(join(this.root, 'edgepod.db'), { log: quiet, now: () => new Date() });
    this.images = this.open();
  }

  /** Another store over the same directory and database. */
  open(hardware = this.hardware): ImageStore {
    const unpacker = new Unpacker(unpackerPath);
    return new ImageStore({ dir: this.dir, repo: this.store.images, unpacker, hardware });
  }

  /** An archive in this board's directory whose layers hold exactly these entries, lowest first. */
  async archive(layers: (TarEntry[] | Buffer)[], options: ArchiveOptions = {}): Promise<string> {
    const { name = 'test', compress = 'gzip', arch = hostArch, config = {}, diffIds = [], format = 'oci' } = options;
    const work = mkdtempSync(join(this.root, 'archive-'));
    const blobs = layers.map((entries, index) => ({
      ...writeLayer(join(work, `${index}`), Buffer.isBuffer(entries) ? entries : tar(entries), compress),
      ...(diffIds[index] !== undefined && { diffId: diffIds[index] }),
    }));
    return writeArchive(join(work, 'image.tar'), format, { name, arch, config, layers: blobs });
  }

  /** Directories of the layers of an image, lowest first. */
  async layersOf(ref: string): Promise<string[]> {
    return (await this.images.ensure(ref, 'Never')).lowerDirs.toReversed();
  }

  /** Names under layers/ and tmp/: what an unsuccessful load must not change. */
  onDisk(): { layers: string[]; tmp: string[] } {
    return { layers: readdirSync(join(this.dir, 'layers')).sort(), tmp: readdirSync(join(this.dir, 'tmp')) };
  }

  close(): void {
    assert.deepEqual(this.onDisk().tmp, [], 'work in progress was left in tmp/');
    this.store.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export interface ArchiveOptions {
  name?: string;
  compress?: Compression;
  /** What the image says it is for; `arm` is 32-bit ARM, which tests have no compiler for. */
  arch?: Arch | 'arm';
  config?: RunConfig;
  /** Lies about the layers. */
  diffIds?: string[];
  format?: 'oci' | 'docker';
}
