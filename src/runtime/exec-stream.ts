/** A process in a container over pipes: what it writes is read as fast as somebody takes it, and no faster. */
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ExecEnd, RunningExec, StreamRequest } from '../pods/ports.ts';
import type { Addon } from './native.ts';

/** A process on descriptors it was given. */
export interface Attached {
  pid: number;
  ended: Promise<ExecEnd>;
  /** Kills it and everything it started. */
  kill(): void;
}

type Chunk = { stream: 'stdout' | 'stderr'; data: Buffer };

/** What the process left running in the background may keep its output open; it is not waited for longer than this. */
const QUIET_MS = 250;

/**
 * Makes the pipes, has `attach` start the process on their far ends, and gives back the near ones.
 * @throws what `attach` throws, with nothing left open
 */
export async function streamExec(
  addon: Pick<Addon, 'pipe'>,
  { stdin }: Pick<StreamRequest, 'stdin'>,
  attach: (fds: readonly [number, number, number]) => Promise<Attached>,
): Promise<RunningExec> {
  const open = new Set<number>();
  const pipe = () => {
    const [read, write] = addon.pipe();
    open.add(read).add(write);
    return { read, write };
  };
  const close = (fd: number) => {
    open.delete(fd);
    closeSync(fd);
  };
  try {
    const input = stdin === undefined ? undefined : pipe();
    const stdinFd = input?.read ?? openSync('/dev/null', 'r');
    open.add(stdinFd);
    const stdout = pipe();
    const stderr = pipe();
    const { ended, kill } = await attach([stdinFd, stdout.write, stderr.write]);
    for (const fd of [stdinFd, stdout.write, stderr.write]) close(fd);
    const near = (fd: number, use: { readable: boolean; writable: boolean }) => {
      open.delete(fd); // the socket's from now on
      return new Socket({ fd, ...use });
    };
    if (input) feed(near(input.write, { readable: false, writable: true }), stdin as Uint8Array, ended);
    const reader = (fd: number) => near(fd, { readable: true, writable: false });
    return { output: new Output(reader(stdout.read), reader(stderr.read), ended), ended, kill };
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

function feed(socket: Socket, stdin: Uint8Array, ended: Promise<ExecEnd>): void {
  socket.on('error', () => {}); // the process did not want all of it
  socket.end(stdin);
  const destroy = () => socket.destroy();
  ended.then(destroy, destroy);
}

/** Both streams as they come, until both are at their end, or the process is and they have become quiet. */
class Output implements AsyncIterable<Chunk> {
  readonly #streams: { stream: Chunk['stream']; socket: Socket }[];
  #ended = false;
  #wake: () => void = () => {};

  constructor(stdout: Socket, stderr: Socket, ended: Promise<ExecEnd>) {
    this.#streams = [
      { stream: 'stdout', socket: stdout },
      { stream: 'stderr', socket: stderr },
    ];
    for (const { socket } of this.#streams)
      for (const event of ['readable', 'end', 'error', 'close']) socket.on(event, () => this.#wake());
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    ended.then(end, end);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
    try {
      for (;;) {
        const chunks = this.#take();
        if (chunks.length > 0) yield* chunks;
        else if (this.#streams.every(({ socket }) => socket.readableEnded || socket.destroyed)) return;
        else if (!(await this.#something())) return;
      }
    } finally {
      for (const { socket } of this.#streams) socket.destroy();
    }
  }

  #take(): Chunk[] {
    return this.#streams.flatMap(({ stream, socket }) => {
      const data = socket.read() as Buffer | null;
      return data === null ? [] : [{ stream, data }];
    });
  }

  /** Resolves to false when the process has ended and nothing came for a while. */
  #something(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#ended ? setTimeout(() => resolve(false), QUIET_MS) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
