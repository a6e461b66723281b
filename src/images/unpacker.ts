/** edgepod-unpack: every look into an archive happens in its confined, short-lived processes. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
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
  path: string;
  offset: number;
  size: number;
  /** An empty directory. */
  target: string;
  diffId: string;
  /** Of the blob, where the archive states one. */
  digest?: string;
  /** Refused beyond this: bytes uncompressed, and sum of the file sizes. */
  maxBytes: number;
}

export interface LayerReport {
  /** Sum of the file sizes. */
  bytes: number;
  entries: number;
  /** The layer hides everything below it. */
  opaqueRoot: boolean;
  /** Device nodes, which a pod's /dev brings itself, and attributes that would steer the host. */
  devicesSkipped: number;
  xattrsDropped: number;
}

/** A hostile index is cut off here. */
const MAX_OUTPUT = 16 << 20;
/** The machine's fault, not the archive's: EPERM, EIO, ENOMEM, EACCES, EFBIG, ENOSPC, EROFS, EDQUOT. */
const OWN_TROUBLE = new Set([1, 5, 12, 13, 27, 28, 30, 122]);

export class Unpacker {
  #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  /** Table of contents of an uncompressed archive. */
  async index(file: string): Promise<IndexEntry[]> {
    const lines = (await this.#run(['index', file])).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as IndexEntry);
  }

  /** Extracts one layer into the empty directory `target`; digests are verified on the way. */
  async layer({ path, offset, size, target, diffId, digest, maxBytes }: LayerInput): Promise<LayerReport> {
    const range = ['--file', path, '--offset', String(offset), '--size', String(size)];
    const proof = ['--diff-id', diffId, ...(digest === undefined ? [] : ['--digest', digest])];
    const args = ['layer', '--target', target, ...range, ...proof, '--max-bytes', String(maxBytes)];
    return JSON.parse(await this.#run(args)) as LayerReport;
  }

  /** Writes a compressed archive out plain. */
  async plain(file: string, target: string, maxBytes: number): Promise<void> {
    const handle = await open(target, 'wx', 0o600);
    try {
      await this.#run(['plain', file, '--max-bytes', String(maxBytes)], handle.fd);
    } finally {
      await handle.close();
    }
  }

  /** Removes trees of images, whatever is in them. */
  async remove(dir: string, names: string[]): Promise<void> {
    // A command line is limited; a load that was cut short leaves few.
    for (let at = 0; at < names.length; at += 500)
      await this.#run(['remove', '--dir', dir, ...names.slice(at, at + 500)]);
  }

  /** Waits for the exclusive lock on `file`; the returned function gives it back. It ends with this process, too. */
  async lock(file: string): Promise<() => Promise<void>> {
    const child = spawn(this.#program, ['lock', file], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
    const ended = new Promise<void>((done) => child.once('close', () => done()));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    child.once('error', (error) => reject(cannotRun(this.#program, error)));
    child.stdout.once('data', (chunk) => resolve(String(chunk)));
    void ended.then(() => reject(new ImageError('LoadFailed', `cannot lock ${file}`)));
    const answer = await promise;
    if (!answer.startsWith('{"locked"')) throw failure(answer, 1);
    return async () => {
      child.stdin.end();
      await ended;
    };
  }

  /** Standard output of a command that succeeded. A failed one says why, as JSON, on the last line of its output. */
  async #run(args: string[], stdoutFd?: number): Promise<string> {
    const child = spawn(this.#program, args, { stdio: ['ignore', stdoutFd ?? 'pipe', 'pipe'], env: {} });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.once('error', (error) => reject(cannotRun(this.#program, error)));
    child.once('close', (code) => resolve(code ?? -1));
    const [exit, out, err] = await Promise.all([
      promise,
      child.stdout ? collect(child.stdout) : '',
      collect(child.stderr as NodeJS.ReadableStream),
    ]);
    if (exit === 0) return out;
    throw failure(out.trim() === '' || stdoutFd !== undefined ? err : out, exit);
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
  const last = output.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) {
    const end = exit < 0 ? 'was killed' : `ended with ${exit}`;
    return new ImageError('LoadFailed', `edgepod-unpack ${end}${last && `: ${last.slice(0, 200)}`}`);
  }
  const { error } = JSON.parse(last) as { error: { step: string; errno: number; detail: string } };
  if (!OWN_TROUBLE.has(error.errno)) return new ImageError('ArchiveInvalid', error.detail || error.step, error);
  const reason = getSystemErrorMap().get(-error.errno)?.[1] ?? `errno ${error.errno}`;
  return new ImageError('LoadFailed', `${reason} (${[error.step, error.detail].filter(Boolean).join(': ')})`, error);
}

function cannotRun(program: string, error: Error): ImageError {
  return new ImageError('LoadFailed', `cannot run ${program}: ${error.message}; is the native part built?`, error);
}
