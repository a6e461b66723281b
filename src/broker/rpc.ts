import { LogLimiter } from './log-limiter.ts';
import type { BrokerLog, IncomingMessage, Link, Route, SessionListener } from './ports.ts';
import { Answer, CallerGone, RpcError } from './rpc-answer.ts';
import type { Topics } from './topics.ts';

export interface RpcContext {
  method: string;
  /** Aborted when the caller cancels or is gone, the link breaks, or the call lasts too long. */
  signal: AbortSignal;
  /** Whether the broker takes `value` as one piece of the answer. */
  fits(value: unknown): boolean;
}

/** Answers a call with one JSON value, or with several over time (an async iterable, cancelled through its `return`). */
export type RpcHandler = (
  params: Record<string, unknown>,
  context: RpcContext,
) => Promise<unknown> | AsyncIterable<unknown>;

export interface RpcOptions {
  topics: Topics;
  link: Link;
  log: BrokerLog;
  /** Largest request, bytes. */
  maxBytes?: number;
  /** Calls running at a time; more are answered with `Busy`. */
  maxCalls?: number;
  /** Longest a call may last, milliseconds. */
  maxDurationMs?: number;
}

const MAX_CORRELATION = 64;

/**
 * Answers MQTT 5 requests on `D/rpc/<method>`. Subscribed at QoS 0 on purpose: a request is for now, and must be neither
 * kept for a device that is away nor delivered twice. Requests without a reply topic of ours get no answer, only a log line.
 */
export class RpcServer implements Route, SessionListener {
  readonly filters: readonly string[];
  readonly qos = 0;
  readonly mqtt5Only = true;
  #options: Required<RpcOptions>;
  #handlers = new Map<string, RpcHandler>();
  /** Running calls by reply topic and correlation: what a cancel names. */
  #calls = new Map<string, AbortController>();
  #limiter = new LogLimiter();

  constructor(options: RpcOptions) {
    this.#options = { maxBytes: 65_536, maxCalls: 8, maxDurationMs: 3_600_000, ...options };
    this.filters = [options.topics.rpcFilter];
  }

  /** Adds a method. Throws if there is one of that name. */
  register(method: string, handler: RpcHandler): void {
    if (this.#handlers.has(method)) throw new Error(`rpc method ${method} is registered twice`);
    this.#handlers.set(method, handler);
  }

  get methods(): string[] {
    return [...this.#handlers.keys()].sort();
  }

  disconnected(): void {
    for (const call of this.#calls.values()) call.abort(new CallerGone('the link broke'));
  }

  handle(message: IncomingMessage): void {
    const { responseTopic = '', correlation = new Uint8Array() } = message;
    const key = `${responseTopic} ${Buffer.from(correlation).toString('hex')}`;
    const running = this.#calls.get(key);
    if (message.userProperties.cancel !== undefined) {
      running?.abort(new CallerGone('cancelled'));
      return;
    }
    const flaw = this.#flaw(responseTopic, correlation, running !== undefined);
    if (flaw !== undefined) {
      this.#ignore(message, flaw);
      return;
    }
    // The receive buffer is not ours to keep.
    const answer = new Answer(this.#options.link, responseTopic, Uint8Array.from(correlation));
    const parsed = this.#options.topics.parse(message.topic);
    const method = parsed.type === 'rpc' ? parsed.method : '';
    const params = this.#refusal(message, method) ?? parseParams(message.payload);
    const done = params instanceof RpcError ? answer.error(params) : this.#call(key, method, params, answer);
    done.catch((error: unknown) => this.#options.log.debug({ err: error, method }, 'answer not delivered'));
  }

  /** Why a request cannot even be answered. */
  #flaw(responseTopic: string, correlation: Uint8Array, running: boolean): string | undefined {
    const { topics } = this.#options;
    if (!topics.isReplyTopic(responseTopic)) {
      return `the response topic must be under ${topics.prefix}/clients/<client id>/`;
    }
    if (correlation.length > MAX_CORRELATION) return 'correlation data too long';
    return running ? 'this call is running already' : undefined;
  }

  /** Why a request is answered with an error at once. */
  #refusal({ leftover, payload }: IncomingMessage, method: string): RpcError | undefined {
    const { maxBytes, maxCalls } = this.#options;
    if (leftover) return new RpcError('Expired', 'the request was sent before this device connected');
    if (payload.length > maxBytes) return new RpcError('TooLarge', `a request has at most ${maxBytes} bytes`);
    if (!this.#handlers.has(method)) {
      return new RpcError('UnknownMethod', `this device knows ${this.methods.join(', ')}`);
    }
    if (this.#calls.size >= maxCalls) return new RpcError('Busy', `${maxCalls} calls are running already`);
    return undefined;
  }

  async #call(key: string, method: string, params: Record<string, unknown>, answer: Answer): Promise<void> {
    const handler = this.#handlers.get(method) as RpcHandler;
    const call = new AbortController();
    this.#calls.set(key, call);
    const tooLong = new RpcError('DeadlineExceeded', `a call lasts at most ${this.#options.maxDurationMs / 1000} s`);
    const timer = setTimeout(() => call.abort(tooLong), this.#options.maxDurationMs);
    timer.unref();
    try {
      const fits = (value: unknown) => answer.fits(value);
      await run(handler, params, { method, signal: call.signal, fits }, answer);
    } catch (error) {
      if (error instanceof CallerGone) return;
      await answer.error(this.#errorOf(error, method));
    } finally {
      clearTimeout(timer);
      // The handler may still be at work for a caller that went away.
      call.abort(new CallerGone('ended'));
      this.#calls.delete(key);
    }
  }

  #errorOf(error: unknown, method: string): { code: string; message: string } {
    const { code, message } = error as { code?: unknown; message?: unknown };
    if (typeof code === 'string' && typeof message === 'string') return { code, message };
    this.#options.log.error({ err: error, method }, 'rpc handler failed');
    return { code: 'Internal', message: typeof message === 'string' ? message : String(error) };
  }

  #ignore({ topic, responseTopic }: IncomingMessage, reason: string): void {
    this.#limiter.pass(reason, (suppressed) =>
      this.#options.log.warn({ event: 'rpc.ignored', topic, responseTopic, suppressed }, `request ignored: ${reason}`),
    );
  }
}

/** Runs a handler and sends what it returns or yields; throws what it throws, or the reason it was aborted for. */
async function run(
  handler: RpcHandler,
  params: Record<string, unknown>,
  context: RpcContext,
  answer: Answer,
): Promise<void> {
  const aborted = abortion(context.signal);
  const returned = handler(params, context);
  if (!isStream(returned)) return answer.result(await Promise.race([returned, aborted]), true);
  const iterator = returned[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), aborted]);
      if (step.done === true) break;
      await answer.result(step.value, false);
      context.signal.throwIfAborted();
    }
    await answer.result(null, true);
  } finally {
    // Not awaited: a generator that waits for something would hold the call, and its slot, open.
    iterator.return?.()?.catch(() => {});
  }
}

/** Rejects with the signal's reason when it is aborted. */
function abortion(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  // Nobody may be waiting when it happens.
  promise.catch(() => {});
  return promise;
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A request's parameters: a JSON object, or nothing. */
function parseParams(payload: Uint8Array): Record<string, unknown> | RpcError {
  if (payload.length === 0) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Answered below like any other text that is no object.
  }
  return new RpcError('InvalidParams', 'the payload must be a JSON object, or empty');
}
