/**
 * The files of an image archive, wherever they are: inside a tar (read in place by offset) or in a directory with an OCI
 * layout. Documents are read with a size cap; what has a digest is checked against it.
 */
import { createHash } from 'node:crypto';
import { lstat, open, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ImageError } from './errors.ts';
import type { IndexEntry } from './unpacker.ts';

/** Bytes `offset` … `offset + size` of the file at `path`. */
export interface Blob {
  path: string;
  offset: number;
  size: number;
}

/** JSON documents of an archive are small; a larger one is an attack. */
const MAX_DOCUMENT = 4 << 20;
/** Links to links in old docker archives; more is a loop. */
const MAX_HOPS = 8;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const BLOBS = 'blobs/sha256';

export class ArchiveFiles {
  /** Name in the archive → where its bytes are, or the link it is. */
  #entries: Map<string, Blob | { link: string }>;

  constructor(entries: Map<string, Blob | { link: string }>) {
    this.#entries = entries;
  }

  /** An uncompressed tar; of several entries with one name the last counts, as in extraction. */
  static ofTar(path: string, index: IndexEntry[]): ArchiveFiles {
    const entries = new Map<string, Blob | { link: string }>();
    for (const { name, type, link = '', offset, size } of index) {
      if (type === 'file') entries.set(name, { path, offset, size });
      if (type === 'hardlink') entries.set(name, { link });
      if (type === 'symlink') entries.set(name, { link: posix.join(posix.dirname(name), link) });
    }
    return new ArchiveFiles(entries);
  }

  /** A directory with an OCI image layout. Only regular files count: a link could lead anywhere. */
  static async ofDirectory(directory: string): Promise<ArchiveFiles> {
    const entries = new Map<string, Blob>();
    const blobs = await readdir(join(directory, BLOBS)).catch(() => []);
    for (const name of ['oci-layout', 'index.json', ...blobs.map((blob) => `${BLOBS}/${blob}`)]) {
      const path = join(directory, name);
      const info = await lstat(path).catch(() => undefined);
      if (info?.isFile()) entries.set(name, { path, offset: 0, size: info.size });
    }
    return new ArchiveFiles(entries);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  hasBlob(digest: string): boolean {
    return DIGEST.test(digest) && this.has(`${BLOBS}/${digest.slice('sha256:'.length)}`);
  }

  /** A file by name; links are followed inside the archive only. @throws ImageError ArchiveInvalid */
  file(name: string): Blob {
    let entry = this.#entries.get(name);
    for (let hops = 0; entry && 'link' in entry && hops < MAX_HOPS; hops++)
      entry = this.#entries.get(posix.normalize(entry.link));
    if (entry && !('link' in entry)) return entry;
    throw invalid(`the archive refers to ${shown(name)}, but it is not in it`);
  }

  /** A file by digest. The digest is not checked here: `document` does, and the unpacker for layers. */
  blob(digest: unknown): Blob {
    if (typeof digest !== 'string' || !DIGEST.test(digest)) throw invalid(`${shown(digest)} is not a sha256 digest`);
    return this.file(`${BLOBS}/${digest.slice('sha256:'.length)}`);
  }

  /** Text of a document; with `digest` its bytes must have it. */
  async text({ path, offset, size }: Blob, digest?: string): Promise<string> {
    if (size > MAX_DOCUMENT) throw invalid(`a document of ${size} bytes: at most ${MAX_DOCUMENT} are read`);
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, offset);
      if (bytesRead !== size) throw invalid('the archive ends inside a document');
      const actual = sha256(buffer);
      if (digest !== undefined && actual !== digest) throw invalid(`a document is ${actual}, expected ${digest}`);
      return buffer.toString();
    } finally {
      await handle.close();
    }
  }

  /** A JSON object or list. */
  async json(blob: Blob, name: string, digest?: string): Promise<unknown> {
    const text = await this.text(blob, digest);
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw invalid(`${name} is not JSON: ${(error as Error).message}`);
    }
  }
}

/** `sha256:<hex>`. */
export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/** Untrusted text for a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

export function invalid(message: string): ImageError {
  return new ImageError('ArchiveInvalid', message);
}
