/**
 * One connection to a pod's shim: requests with answers, and events. Knows the protocol's frame (ids, one JSON object
 * per packet), not what the methods mean.
 *
 * INVARIANTS
 * - Every request settles: by its answer, its timeout, or the end of the connection.
 * - `onClose` is called once, after every pending request was rejected, and never after `close()`.
 */
import type { ExecEnd, SandboxEvent } from '../pods/ports.ts';
import { RuntimeError, runtimeError } from './errors.ts';
import type { Addon } from './native.ts';

export interface ShimListeners {
  onEvent(event: SandboxEvent): void;
  /** The shim closed the connection or sent something that is no protocol. */
  onClose(reason: string): void;
}

interface Pending {
  method: string;
  resolve(result: unknown): void;
  reject(error: RuntimeError): void;
  timer: NodeJS.Timeout;
}

interface Message {
  id?: number;
  result?: unknown;
  error?: { step?: string; errno?: number; code?: string; detail?: string };
  event?: SandboxEvent;
  execExit?: { execId: number } & ExecEnd;
}

/** The shim answers at once but for `start` (an execve on slow flash) and `exec`, which says how long it may take. */
const DEFAULT_TIMEOUT_MS = 15_000;

export class ShimClient {
  readonly #addon: Addon;
  readonly #handle: number;
  readonly #object: string;
  readonly #listeners: ShimListeners;
  readonly #pending = new Map<number, Pending>();
  /** By execId: the exit of an exec with passed descriptors, kept until somebody asks. */
  readonly #execs = new Map<number, PromiseWithResolvers<ExecEnd>>();
  #nextId = 1;
  #closed = false;

  /** Connects at once. @throws RuntimeError `shim-connect` ECONNREFUSED or ENOENT when no shim listens. */
  constructor(addon: Addon, path: string, object: string, listeners: ShimListeners) {
    this.#addon = addon;
    this.#object = object;
    this.#listeners = listeners;
    try {
      this.#handle = addon.connect(
        path,
        (data, fds) => this.#receive(data, fds),
        (code) => this.#end(code ?? 'the shim closed the connection'),
      );
    } catch (error) {
      throw runtimeError(error, { step: 'shim-connect', object });
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @param timeoutMs on the monotonic clock; the answer to a request that timed out is dropped. */
  request<T>(
    method: string,
    params: object,
    { timeoutMs = DEFAULT_TIMEOUT_MS, fds }: { timeoutMs?: number; fds?: number[] } = {},
  ): Promise<T> {
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(this.#error(method, 'ETIMEDOUT', `the shim did not answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { method, resolve: (result) => resolve(result as T), reject, timer });
      try {
        if (this.#closed) throw this.#error(method, 'ESHIMLOST', 'no connection to the shim');
        this.#addon.send(this.#handle, JSON.stringify({ id, method, params }), fds);
      } catch (error) {
        this.#settle(id)?.reject(runtimeError(error, { step: `shim-${method}`, object: this.#object }));
      }
    });
  }

  /** Resolves when an exec with passed descriptors ends; rejects when the connection does. */
  execExit(execId: number): Promise<ExecEnd> {
    return this.#exec(execId).promise.finally(() => this.#execs.delete(execId));
  }

  /** Leaves the shim alone from now on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#addon.close(this.#handle);
    this.#rejectAll('connection closed');
  }

  #exec(execId: number): PromiseWithResolvers<ExecEnd> {
    let exec = this.#execs.get(execId);
    if (!exec) {
      exec = Promise.withResolvers();
      exec.promise.catch(() => {}); // an exit nobody waits for is no unhandled rejection
      this.#execs.set(execId, exec);
    }
    return exec;
  }

  #receive(data: Buffer, fds: number[]): void {
    // The shim never passes descriptors to the agent: one that does is broken.
    const message = fds.length === 0 ? parse(data) : undefined;
    if (!message) {
      this.#addon.close(this.#handle);
      this.#end('the shim does not speak the protocol');
    } else if (message.event) {
      this.#listeners.onEvent(message.event);
    } else if (message.execExit) {
      this.#exec(message.execExit.execId).resolve(message.execExit);
    } else {
      this.#answer(message);
    }
  }

  #answer({ id, result, error }: Message): void {
    const pending = this.#settle(id);
    if (!error) {
      pending?.resolve(result);
      return;
    }
    const { step = `shim-${pending?.method}`, code = 'EUNKNOWN', errno, detail } = error;
    pending?.reject(new RuntimeError({ step, code, errno, detail, object: this.#object }));
  }

  #settle(id: number | undefined): Pending | undefined {
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending && id !== undefined) {
      clearTimeout(pending.timer);
      this.#pending.delete(id);
    }
    return pending;
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectAll(reason);
    this.#listeners.onClose(reason);
  }

  #rejectAll(reason: string): void {
    for (const [id, { method }] of this.#pending) this.#settle(id)?.reject(this.#error(method, 'ESHIMLOST', reason));
    for (const exec of this.#execs.values()) exec.reject(this.#error('exec', 'ESHIMLOST', reason));
  }

  #error(method: string, code: string, detail: string): RuntimeError {
    return new RuntimeError({ step: `shim-${method}`, code, detail, object: this.#object });
  }
}

function parse(data: Buffer): Message | undefined {
  try {
    const message: unknown = JSON.parse(data.toString('utf8'));
    return typeof message === 'object' && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}
