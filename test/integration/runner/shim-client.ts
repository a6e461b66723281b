/** A client of the shim's protocol for tests, over the native tool `shimctl` (Node has no SEQPACKET sockets). */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { patience } from '../../patience.ts';
import { SHIMCTL } from './native.ts';

export interface ShimError {
  step: string;
  errno: number;
  code: string;
  detail: string;
}

export interface Exit {
  exitCode: number;
  signal: number;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
}

export interface ShimEvent {
  seq: number;
  type: 'exit' | 'oom' | 'lost';
  container?: string;
  attempt?: number;
  exit?: Exit;
  reason?: string;
}

export interface Message {
  id?: number | null;
  result?: Record<string, unknown>;
  error?: ShimError;
  event?: ShimEvent;
  execExit?: { execId: number; exitCode: number; signal: number };
}

export class ShimClient {
  readonly process: ChildProcessWithoutNullStreams;
  readonly messages: Message[] = [];
  closed = false;
  #nextId = 1;
  #waiting = new Set<() => void>();

  private constructor(socket: string) {
    this.process = spawn(SHIMCTL, [socket], { stdio: 'pipe' });
    this.process.stdin.on('error', () => {}); // the tool may be gone already
    this.process.stderr.resume();
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      if (line === 'closed') this.closed = true;
      else if (line.startsWith('{')) this.messages.push(JSON.parse(line) as Message);
      for (const wake of this.#waiting) wake();
    });
  }

  static async connect(socket: string): Promise<ShimClient> {
    const client = new ShimClient(socket);
    await once(client.process, 'spawn');
    return client;
  }

  /** One line to the tool: a packet, or one of its commands. */
  line(text: string): void {
    this.process.stdin.write(`${text}\n`);
  }

  /** The answer to a request, as it came: `result` or `error`. */
  async ask(method: string, params: object = {}, prefix = ''): Promise<Message> {
    const id = this.#nextId++;
    this.line(`${prefix}${JSON.stringify({ id, method, params })}`);
    return this.until(`an answer to ${method}`, (message) => message.id === id);
  }

  /** The result of a request. Throws the error it is answered with. */
  async request(method: string, params: object = {}, prefix = ''): Promise<Record<string, unknown>> {
    const { result, error } = await this.ask(method, params, prefix);
    if (error) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result ?? {};
  }

  event(type: ShimEvent['type'], container?: string, attempt?: number): Promise<ShimEvent> {
    const matches = ({ event }: Message) =>
      event?.type === type && event.container === container && (attempt === undefined || event.attempt === attempt);
    return this.until(`${type} event of ${container}`, matches).then(({ event }) => event as ShimEvent);
  }

  /** The first message, received already or to come, that matches. */
  async until(what: string, matches: (message: Message) => boolean): Promise<Message> {
    await this.when(what, () => this.messages.some(matches));
    return this.messages.find(matches) as Message;
  }

  untilClosed(): Promise<void> {
    return this.when('the connection to be closed', () => this.closed);
  }

  /** Ends the connection by killing the client, as a crash would. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  async when(what: string, done: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => done() && resolve();
    const patienceMs = patience(20_000);
    const timer = setTimeout(() => {
      const tail = this.messages.slice(-3).map((message) => JSON.stringify(message));
      reject(new Error(`no ${what} within ${patienceMs} ms; last: ${tail.join(' ')}`));
    }, patienceMs);
    this.#waiting.add(check);
    try {
      check();
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }
}
