/**
 * Encryption of what must not lie in clear on the flash: the manifests of Secrets.
 *
 * What it is: whoever gets the database alone (a backup, a copied file, freed pages of the card) learns nothing.
 * What it is not: protection from whoever holds the whole card, the key being on it too; few boards have a better place.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { guard } from './connection.ts';
import { StoreError } from './errors.ts';
import { syncDirectory } from './files.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Version of the format: AES-256-GCM, base64 of iv, tag and ciphertext. */
const MARK = 'sealed:1:';

export class Seal {
  #path: string;
  #key: Buffer | undefined;

  /** `path`: the key file, made (0600, random) when something is sealed for the first time. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Encrypts `text`; it can be opened only with the same `place`, so that rows cannot be exchanged. Throws StoreError. */
  seal(text: string, place: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOrNew(), iv).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return MARK + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** The text, or undefined when it was sealed with another key, for another place, or was changed. */
  open(sealed: string, place: string): string | undefined {
    const key = this.#existingKey();
    if (key === undefined || !sealed.startsWith(MARK)) return undefined;
    const bytes = Buffer.from(sealed.slice(MARK.length), 'base64');
    if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }

  /** Digest (hex) that only the holder of the key can compute: a plain one would let passwords be guessed offline. */
  digest(content: string | Uint8Array): string {
    return createHmac('sha256', this.#keyOrNew()).update(content).digest('hex');
  }

  #keyOrNew(): Buffer {
    this.#key ??= this.#existingKey() ?? guard(`create ${this.#path}`, () => createKey(this.#path));
    return this.#key;
  }

  #existingKey(): Buffer | undefined {
    if (this.#key) return this.#key;
    try {
      const key = readFileSync(this.#path);
      // One that was cut short opens nothing, and must not be replaced silently: rows may wait for the right one.
      if (key.length !== KEY_BYTES) throw new StoreError('E_STORE_CORRUPT', `${this.#path} is no key`, 'KEY');
      this.#key = key;
      return key;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** Complete and on the disk before it has its name; another process that was faster wins. */
function createKey(path: string): Buffer {
  const partial = `${path}.${process.pid}.tmp`;
  const fd = openSync(partial, 'wx', 0o600);
  try {
    writeSync(fd, randomBytes(KEY_BYTES));
    fsyncSync(fd);
    linkSync(partial, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(fd);
    rmSync(partial, { force: true });
  }
  syncDirectory(dirname(path));
  return readFileSync(path);
}
