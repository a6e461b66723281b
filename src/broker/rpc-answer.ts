import { type Link, LinkError } from './ports.ts';

/** Reason code of a PUBACK: nobody subscribes to the answer, so the caller is gone. */
const NO_SUBSCRIBERS = 16;

/** The caller cannot be reached any more; not an error of the handler. */
export class CallerGone extends Error {
  readonly code = 'caller-gone';
}

/** An error a handler answers with; `code` is a word for programs (`NotFound`), `message` a sentence for people. */
export class RpcError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * One answer: JSON messages `{"result": …}` on the Response Topic, each with the request's Correlation Data and the user
 * property `seq` (0, 1, …); the last one, `{"error": {code, message}}` if it failed, also with `end=true`. A string that
 * does not fit into one packet comes in several messages, to be put together.
 */
export class Answer {
  #link: Link;
  #topic: string;
  #correlation: Uint8Array;
  #seq = 0;

  constructor(link: Link, topic: string, correlation: Uint8Array) {
    this.#link = link;
    this.#topic = topic;
    this.#correlation = correlation;
  }

  /** Sends one piece; resolves at its PUBACK, which is the back-pressure. Throws RpcError TooLarge, CallerGone. */
  async result(value: unknown, end: boolean): Promise<void> {
    const body = bodyOf(value);
    if (this.#fits(body)) return this.#send(body, end);
    if (typeof value !== 'string') {
      throw new RpcError('TooLarge', `the answer has ${body.length} bytes, more than the broker takes`);
    }
    const half = splitPoint(value);
    if (half === 0) throw new RpcError('TooLarge', 'the broker takes no answer of any use');
    await this.result(value.slice(0, half), false);
    await this.result(value.slice(half), end);
  }

  /** Whether `value` can be sent as one piece. */
  fits(value: unknown): boolean {
    return this.#fits(bodyOf(value));
  }

  /** Sends the error that ends the answer. Throws CallerGone. */
  error({ code, message }: { code: string; message: string }): Promise<void> {
    return this.#send(JSON.stringify({ error: { code, message: message.slice(0, 1000) } }), true);
  }

  #fits(body: string): boolean {
    return this.#link.fits(this.#topic, Buffer.from(body), this.#options(true));
  }

  async #send(body: string, end: boolean): Promise<void> {
    const options = this.#options(end);
    this.#seq += 1;
    try {
      const reason = await this.#link.publish(this.#topic, Buffer.from(body), options);
      if (reason === NO_SUBSCRIBERS) throw new CallerGone('nobody waits for the answer');
    } catch (error) {
      if (error instanceof LinkError && error.code !== 'too-large') throw new CallerGone(error.message);
      throw error;
    }
  }

  #options(end: boolean) {
    const userProperties = { seq: String(this.#seq), ...(end && { end: 'true' }) };
    return { correlation: this.#correlation, userProperties };
  }
}

function bodyOf(value: unknown): string {
  return JSON.stringify({ result: value === undefined ? null : value });
}

/** The middle of a string, not inside a surrogate pair; 0 if it cannot be split. */
function splitPoint(text: string): number {
  const middle = text.length >> 1;
  const inPair = /[\udc00-\udfff]/.test(text[middle] ?? '');
  return inPair ? middle - 1 : middle;
}
