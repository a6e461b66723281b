/** What the demo sets up and takes down: directories, broker, agent. Everything it made is undone, in reverse. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { EDGEPOD } from '../edgepod.ts';

export class Stage {
  readonly device = 'demo';
  readonly base: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly agentLog: string;
  broker = '';
  #undo: (() => Promise<void> | void)[] = [];

  constructor() {
    mkdirSync('/run/edgepod-demo', { recursive: true, mode: 0o700 });
    this.base = mkdtempSync('/var/tmp/edgepod-demo-');
    this.dataDir = join(this.base, 'data');
    this.runDir = mkdtempSync('/run/edgepod-demo/');
    this.agentLog = join(this.base, 'agent.log');
    this.#undo.push(() => {
      rmSync(this.base, { recursive: true, force: true });
      rmSync(this.runDir, { recursive: true, force: true });
      removeIfEmpty('/run/edgepod-demo');
    });
  }

  /** The pod's hostPath: made when it is not there, and then removed again with what the pod put in. */
  sharedDirectory(path: string): void {
    if (existsSync(path)) return;
    mkdirSync(path, { mode: 0o755 });
    this.#undo.push(() => rmSync(path, { recursive: true, force: true }));
  }

  async startBroker(): Promise<void> {
    const port = await freePort();
    this.broker = `mqtt://127.0.0.1:${port}`;
    const child = this.#start(['broker', '--port', String(port)], join(this.base, 'broker.log'));
    this.#undo.push(() => end(child));
    await listening(port, child);
  }

  startAgent(): void {
    const flags = [
      '--device',
      this.device,
      '--broker',
      this.broker,
      '--data-dir',
      this.dataDir,
      '--run-dir',
      this.runDir,
    ];
    // A developer's disk may be fuller than a board's should be.
    const full = ['--eviction-nodefs-available', '0', '--images-gc-high-percent', '100'];
    const child = this.#start(['agent', ...flags, '--metrics-interval', '1', '--drain', ...full], this.agentLog);
    this.#undo.push(() => end(child));
  }

  /** Runs one command line; its standard output. Rejects with what it printed on stderr. */
  async edgepod(...args: string[]): Promise<string> {
    const child = spawn(EDGEPOD, args, {
      env: {
        ...process.env,
        EDGEPOD_BROKER: this.broker,
        EDGEPOD_DATA_DIR: this.dataDir,
        EDGEPOD_RUN_DIR: this.runDir,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl-C is for the demo, which then takes everything down in order
    });
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exit(child)]);
    if (code !== 0) throw new Error(`edgepod ${args.join(' ')}: ${err.trim() || `exit code ${code}`}`);
    return out;
  }

  /** Undoes everything, last thing first. Safe to call twice. */
  async takeDown(): Promise<void> {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) await undo();
  }

  #start(args: string[], log: string): ChildProcess {
    const fd = openSync(log, 'a');
    return spawn(EDGEPOD, args, { stdio: ['ignore', fd, fd], detached: true });
  }
}

/** SIGTERM, and SIGKILL only for a process that ignores it for half a minute. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = exit(child);
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await gone;
  clearTimeout(timer);
}

function exit(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  const { promise, resolve } = Promise.withResolvers<number>();
  child.once('error', () => resolve(127));
  child.once('exit', (code) => resolve(code ?? 1));
  return promise;
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const { connect } = await import('node:net');
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error('the broker ended at once');
    const ok = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}
