/** edgepod-unpack: every look into an archive happens in its confined, short-lived processes. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { ImageError } from './errors.ts';

/** One entry of an archive's table of contents. */
export interface IndexEntry {
  name: string;
  type: 'file' | 'directory' | 'symlink' | 'hardlink';
  link?: string;
  offset: number;
  size: number;
}

export interface LayerInput {
  file: string;
  offset: number;
  size: number;
  target: string;
  diffId: string;
  /** Of the blob, where the archive states one. */
  digest?: string;
}

export interface LayerReport {
  bytes: number;
  entries: number;
}

/** A hostile index is cut off here. */
const MAX_OUTPUT = 16 << 20;

export class Unpacker {
  #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  /** Table of contents of an uncompressed archive. */
  async index(file: string): Promise<IndexEntry[]> {
    const out = await this.#run(['index', file]);
    return out.trim() === ''
      ? []
      : out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as IndexEntry);
  }

  /** Extracts one layer into the empty directory `target`; digests are verified on the way. */
  async layer({ file, offset, size, target, diffId, digest }: LayerInput): Promise<LayerReport> {
    const range = ['--file', file, '--offset', String(offset), '--size', String(size)];
    const proof = ['--diff-id', diffId, ...(digest === undefined ? [] : ['--digest', digest])];
    return JSON.parse(await this.#run(['layer', '--target', target, ...range, ...proof])) as LayerReport;
  }

  /** Writes a compressed archive out plain. */
  async plain(file: string, target: string, maxBytes: number): Promise<void> {
    const fd = openSync(target, 'wx', 0o600);
    try {
      await this.#run(['plain', file, '--max-bytes', String(maxBytes)], fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Removes trees of images, whatever is in them. */
  async remove(dir: string, names: string[]): Promise<void> {
    if (names.length > 0) await this.#run(['remove', '--dir', dir, ...names]);
  }

  /** Waits for the exclusive lock on `file`; the returned function gives it back. It ends with this process, too. */
  async lock(file: string): Promise<() => Promise<void>> {
    const child = spawn(this.#program, ['lock', file], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    child.once('error', reject);
    child.stdout.once('data', () => resolve());
    void ended.then(() => reject(new ImageError('ArchiveInvalid', `cannot lock ${file}`)));
    await promise;
    return async () => {
      child.stdin.end();
      await ended;
    };
  }

  /** Standard output of a command that succeeded; what went wrong is told on the same stream, as JSON. */
  async #run(args: string[], stdoutFd?: number): Promise<string> {
    const child = spawn(this.#program, args, { stdio: ['ignore', stdoutFd ?? 'pipe', 'pipe'], env: {} });
    const spawned = new Promise<never>((_, reject) => child.once('error', reject));
    const code = new Promise<number>((resolve) => child.once('close', (exit) => resolve(exit ?? 1)));
    const [out, err, exit] = await Promise.race([
      Promise.all([child.stdout ? collect(child.stdout) : '', collect(child.stderr as NodeJS.ReadableStream), code]),
      spawned,
    ]);
    if (exit === 0) return out;
    throw failure(out || err, exit);
  }
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += (chunk as Buffer).length;
    if (size > MAX_OUTPUT) throw new ImageError('ArchiveInvalid', 'the archive has too many entries');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function failure(output: string, exit: number): ImageError {
  try {
    const last = output.trim().split('\n').at(-1) ?? '';
    const { error } = JSON.parse(last) as { error: { step: string; detail: string } };
    return new ImageError('ArchiveInvalid', `${error.step}: ${error.detail}`);
  } catch {
    return new ImageError('ArchiveInvalid', `edgepod-unpack ended with ${exit}: ${output.slice(0, 200) || 'killed'}`);
  }
}
