/**
 * Reads a container's log in order through rotation, from the beginning or the last lines, and follows it. Holds one
 * block and one unfinished line in memory, however large the log is.
 */
import { type FSWatcher, watch } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { logAttempts, logFiles, openLog, tailStart } from './files.ts';
import { type LogLine, parseLogLine } from './line.ts';

export interface ReadLogOptions {
  /** `<logDir>/<ns>_<name>_<uid>/<container>`. */
  dir: string;
  /** Default: the newest. */
  attempt?: number;
  /** The attempt before that. */
  previous?: boolean;
  /** Only the last so many lines of what is there at the start. */
  tail?: number;
  /** Leave out what is older (RFC 3339). */
  since?: string;
  follow?: boolean;
  /** With `follow`: when this settles, what is left is read and the iteration ends (the container has ended). */
  until?: Promise<unknown>;
  /** Ends the iteration at once. */
  signal?: AbortSignal;
}

const BLOCK = 64 * 1024;
/** The shim's lines are at most 16 KiB; anything longer is not its work. */
const MAX_LINE = 256 * 1024;
/** inotify tells of changes; this is for file systems and moments where it does not. */
const POLL_MS = 1_000;

/** Nothing is yielded for an attempt that has no log. */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<LogLine, void, undefined> {
  const { dir, follow = false, since, until, signal, tail } = options;
  const attempt = await chooseAttempt(options);
  if (attempt === undefined) return;
  const changes = follow ? new Changes(dir, until, signal) : undefined;
  const cursor = new LogCursor(dir, attempt);
  try {
    if (tail !== undefined) await cursor.seekTail(tail);
    for (;;) {
      // Asked before reading: what was written until then is read, and what comes later wakes us.
      const ended = changes?.ended ?? true;
      changes?.arm();
      for await (const line of cursor.lines()) {
        if (signal?.aborted) return;
        if (since === undefined || line.time >= since) yield line;
      }
      if (ended || signal?.aborted) return;
      await changes?.next();
    }
  } finally {
    changes?.close();
    await cursor.close();
  }
}

async function chooseAttempt({ dir, attempt, previous = false }: ReadLogOptions): Promise<number | undefined> {
  const chosen = attempt ?? (await logAttempts(dir)).at(-1);
  if (chosen === undefined || !previous) return chosen;
  return chosen > 0 ? chosen - 1 : undefined;
}

/** A place in the log that survives rotation: the open file stays the same one whatever it is called now. */
class LogCursor {
  readonly #dir: string;
  readonly #attempt: number;
  #file: FileHandle | undefined;
  #inode = 0n;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);
  readonly #block = Buffer.alloc(BLOCK);

  constructor(dir: string, attempt: number) {
    this.#dir = dir;
    this.#attempt = attempt;
  }

  async seekTail(lines: number): Promise<void> {
    const paths = await logFiles(this.#dir, this.#attempt);
    const { index, offset } = await tailStart(paths, lines);
    if (paths[index]) await this.#open(paths[index], offset);
  }

  /** Everything from here to the present end. */
  async *lines(): AsyncGenerator<LogLine, void, undefined> {
    if (!this.#file && !(await this.#openNext())) return;
    do {
      yield* this.#drain();
    } while (await this.#openNext());
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async *#drain(): AsyncGenerator<LogLine, void, undefined> {
    for (;;) {
      const read = await this.#file?.read(this.#block, 0, BLOCK, this.#offset);
      if (!read || read.bytesRead === 0) return;
      this.#offset += read.bytesRead;
      const data = Buffer.concat([this.#rest, this.#block.subarray(0, read.bytesRead)]);
      let start = 0;
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
        const line = parseLogLine(data.toString('utf8', start, end));
        start = end + 1;
        if (line) yield line;
      }
      this.#rest = data.length - start > MAX_LINE ? Buffer.alloc(0) : data.subarray(start);
    }
  }

  /** The file written after the present one, if there is one: false at the end of the log. */
  async #openNext(): Promise<boolean> {
    const paths = await logFiles(this.#dir, this.#attempt);
    let next = 0; // of a file that has been pruned, the oldest that is left comes next
    if (this.#file) {
      for (const [index, path] of paths.entries()) {
        const file = await openLog(path);
        const inode = (await file?.stat({ bigint: true }))?.ino;
        await file?.close();
        if (inode === this.#inode) next = index + 1;
      }
    }
    const path = paths[next];
    if (path === undefined) return false;
    // Rotated between our last read and now: the last lines of the present file come first.
    if (this.#file && (await this.#file.stat()).size > this.#offset) return true;
    return this.#open(path, 0);
  }

  async #open(path: string, offset: number): Promise<boolean> {
    const file = await openLog(path);
    if (!file) return this.#openNext(); // renamed under our eyes
    await this.close();
    this.#file = file;
    this.#inode = (await file.stat({ bigint: true })).ino;
    this.#offset = offset;
    this.#rest = Buffer.alloc(0);
    return true;
  }
}

/** Wakes a follower: on changes in the directory, at the end of the container, on abort, and now and then. */
class Changes {
  ended = false;
  #wake: () => void = () => {};
  #change: Promise<void> = Promise.resolve();
  readonly #watcher: FSWatcher | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#wake();

  constructor(dir: string, until: Promise<unknown> | undefined, signal: AbortSignal | undefined) {
    const end = () => {
      this.ended = true;
      this.#wake();
    };
    until?.then(end, end);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
    try {
      this.#watcher = watch(dir, { persistent: false }, () => this.#wake());
      this.#watcher.on('error', () => {});
    } catch {
      // Out of inotify watches, or the directory is gone: polling alone has to do.
    }
  }

  /** From here on a change is remembered until `next` is called. */
  arm(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#change = promise;
    this.#wake = resolve;
  }

  async next(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const poll = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, POLL_MS);
    });
    if (!this.ended && !this.#signal?.aborted) await Promise.race([this.#change, poll]);
    clearTimeout(timer);
  }

  close(): void {
    this.#watcher?.close();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
