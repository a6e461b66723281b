/** One emulated board: a QEMU process, its disk, its console. Used by image:run. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { guestArguments, type MachineShape } from './arguments.ts';
import type { Moment } from './moments.ts';

export interface Disk {
  path: string;
  /** For booting without the boot loader, which a shape with kernel arguments of its own needs. */
  kernel: string;
  initrd: string;
}

export interface MachineOptions extends MachineShape {
  disk: Disk;
  /** Guest port → host port on loopback; 0 takes a free one. */
  forwards?: Record<number, number>;
  /** More disks, read and written in place. */
  extraDisks?: string[];
  /** Gets everything the console prints; without it the console is this terminal. */
  onConsole?: (text: string) => void;
  /** With `onConsole`: what is typed here goes to the console all the same. */
  keyboard?: boolean;
}

export class Machine {
  /** Guest port → host port. */
  readonly ports: ReadonlyMap<number, number>;
  readonly process: ChildProcess;
  /** What the console has printed so far. */
  console = '';
  #waiting = new Set<() => void>();

  private constructor(
    process: ChildProcess,
    ports: Map<number, number>,
    onConsole: ((text: string) => void) | undefined,
  ) {
    this.process = process;
    this.ports = ports;
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.console += text;
      onConsole?.(text);
      for (const wake of this.#waiting) wake();
    });
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.console += text;
      onConsole?.(text);
    });
    process.once('exit', () => {
      for (const wake of this.#waiting) wake();
    });
  }

  static async start(options: MachineOptions): Promise<Machine> {
    const ports = new Map<number, number>();
    for (const [guest, host] of Object.entries(options.forwards ?? {}))
      ports.set(Number(guest), host || (await freePort()));
    const args = guestArguments(options, {
      disk: options.disk,
      ports,
      extraDisks: options.extraDisks ?? [],
    });
    const terminal = options.onConsole === undefined;
    const keyboard = options.keyboard ? 'inherit' : 'ignore';
    const child = spawn('qemu-system-aarch64', args, { stdio: terminal ? 'inherit' : [keyboard, 'pipe', 'pipe'] });
    const failed = await new Promise<Error | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', resolve);
    });
    if (failed)
      throw new Error(`qemu-system-aarch64 cannot be started (apt-get install qemu-system-arm): ${failed.message}`);
    return new Machine(child, ports, options.onConsole);
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The power goes: nothing in the guest gets to say goodbye. */
  async cutPower(): Promise<void> {
    if (!this.running) return;
    const gone = this.ended();
    this.process.kill('SIGKILL');
    await gone;
  }

  /** Cuts it at a moment; false when the machine ended by itself before. Other failures of the moment are thrown. */
  async cutPowerAt(moment: Moment, patienceMs?: number): Promise<boolean> {
    const off = new AbortController();
    this.process.once('exit', () => off.abort(new Error('the machine ended')));
    const signals = [off.signal, ...(patienceMs === undefined ? [] : [AbortSignal.timeout(patienceMs)])];
    try {
      await moment(this, AbortSignal.any(signals));
    } catch (error) {
      if (!this.running) return false;
      throw new Error(`the moment to cut the power did not come: ${(error as Error).message}\n${this.tail()}`);
    }
    await this.cutPower();
    return true;
  }

  /** Resolves when QEMU has ended, the board having switched itself off or having been killed. */
  async ended(): Promise<void> {
    if (!this.running) return;
    await new Promise<void>((resolve) => this.process.once('exit', () => resolve()));
  }

  /** Waits until the console has printed `text`; rejects with the console's end when the machine ends before. */
  async printed(text: string | RegExp, patienceMs: number): Promise<void> {
    const seen = () => (typeof text === 'string' ? this.console.includes(text) : text.test(this.console));
    const tooLate = AbortSignal.timeout(patienceMs);
    await this.#until(seen, tooLate).catch((error: Error) => {
      const reason = tooLate.aborted ? `waited ${patienceMs} ms` : error.message;
      throw new Error(`${reason}, for ${text} on the console:\n${this.tail()}`);
    });
  }

  /** The same of what is printed from now on, for as long as `signal` lets it. */
  async prints(pattern: RegExp, signal: AbortSignal): Promise<void> {
    const before = this.console.length;
    await this.#until(() => pattern.test(this.console.slice(before)), signal);
  }

  /** Looks whenever the console has printed something, and in that very turn of the event loop. */
  async #until(seen: () => boolean, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (seen()) resolve();
      else if (!this.running) reject(new Error('the machine ended'));
    };
    const give = () => reject(signal.reason as Error);
    signal.addEventListener('abort', give);
    this.#waiting.add(look);
    look();
    await promise.finally(() => {
      signal.removeEventListener('abort', give);
      this.#waiting.delete(look);
    });
  }

  tail(lines = 30): string {
    return this.console.trimEnd().split('\n').slice(-lines).join('\n');
  }
}

/** A disk of its own for one board, as big as `sizeMiB`: copied, sharing blocks with the image where the file system can. */
export function newDisk(image: string, path: string, sizeMiB = 4096): void {
  execFileSync('cp', ['--reflink=auto', '--sparse=always', image, path]);
  execFileSync('truncate', ['-s', `>${sizeMiB}M`, path]);
}

/** Whether nobody listens on a port of this machine's loopback. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
