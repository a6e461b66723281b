/** Calling a method on a device: an MQTT 5 request, answered on a topic of our own, possibly in several pieces. */
import { randomBytes } from 'node:crypto';
import type { IPublishPacket } from 'mqtt';
import { ConnectError } from './connect.ts';
import type { Fleet } from './fleet.ts';
import { jsonObject } from './json.ts';
import { deviceTopic, ownTopic, rpcTopic } from './topics.ts';

/** The device answered with an error; `code` is the device's. */
export class RpcError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const FIRST_ANSWER_MS = 10_000;

/**
 * Calls `method` on `device` and yields every `result` as it comes; ends with the device's last piece.
 * @param signal aborting tells the device to stop and ends the iteration
 * @throws RpcError when the device refuses, ConnectError when it or the broker does not answer
 */
export async function* call(
  fleet: Fleet,
  device: string,
  method: string,
  params: object,
  signal?: AbortSignal,
): AsyncGenerator<unknown> {
  const correlation = randomBytes(12);
  const responseTopic = ownTopic(fleet.prefix, fleet.clientId, 'rpc');
  const requestTopic = rpcTopic(fleet.prefix, device, method);
  const answers = new AnswerQueue();
  const presence = deviceTopic(fleet.prefix, device, 'presence');
  const watch = new PresenceWatch();
  const stop = fleet.listen((message, packet) => {
    if (message.topic === responseTopic && correlation.equals(correlationOf(packet)))
      answers.push(message.payload, packet);
    else if (message.topic === presence && watch.gone(message.payload))
      answers.fail(new ConnectError('E_DEVICE_AWAY', `${device} is away: see \`edgepod get devices\``));
  });
  const onClose = () => answers.fail(new ConnectError('E_BROKER_UNREACHABLE', 'the connection to the broker was lost'));
  const onAbort = () => answers.finish();
  const timer = setTimeout(() => answers.fail(noAnswer(device)), FIRST_ANSWER_MS);
  fleet.client.once('close', onClose);
  signal?.addEventListener('abort', onAbort);
  const properties = { responseTopic, correlationData: correlation };
  try {
    await fleet.client.subscribeAsync([responseTopic, presence], { qos: 1 });
    await fleet.client.publishAsync(requestTopic, JSON.stringify(params), { qos: 1, properties });
    for await (const result of answers) {
      clearTimeout(timer);
      yield result;
    }
  } finally {
    clearTimeout(timer);
    stop();
    fleet.client.off('close', onClose);
    signal?.removeEventListener('abort', onAbort);
    if (!answers.ended && fleet.client.connected) {
      const cancel = { ...properties, userProperties: { cancel: 'true' } };
      await fleet.client.publishAsync(requestTopic, '{}', { qos: 1, properties: cancel });
    }
  }
}

/** Sees from presence messages that a device will not answer: it is away, or it is back in a session that knows no call. */
class PresenceWatch {
  #session: unknown;

  gone(payload: Buffer): boolean {
    if (payload.length === 0) return false;
    const { state, session } = jsonObject(payload) ?? {};
    const another = this.#session !== undefined && session !== this.#session;
    this.#session = session;
    return state !== 'online' || another;
  }
}

/** Answers in order of arrival; the consumer waits for the next. */
class AnswerQueue {
  /** The device said this was the last. */
  ended = false;
  #queue: unknown[] = [];
  #error: Error | undefined;
  #finished = false;
  #wake: () => void = () => {};

  push(payload: Buffer, packet: IPublishPacket): void {
    const body = jsonObject(payload) as { result?: unknown; error?: { code: string; message: string } } | undefined;
    if (body === undefined) {
      this.fail(new RpcError('BadAnswer', 'the answer is no JSON object: is the device’s agent of another version?'));
      return;
    }
    if (body.error) {
      this.ended = true;
      this.fail(new RpcError(body.error.code, body.error.message));
      return;
    }
    if (body.result !== undefined && body.result !== null) this.#queue.push(body.result);
    if (packet.properties?.userProperties?.end === 'true') {
      this.ended = true;
      this.finish();
    }
    this.#wake();
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }

  finish(): void {
    this.#finished = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    for (;;) {
      while (this.#queue.length > 0) yield this.#queue.shift();
      if (this.#error) throw this.#error;
      if (this.#finished) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function correlationOf(packet: IPublishPacket): Buffer {
  return packet.properties?.correlationData ?? Buffer.alloc(0);
}

function noAnswer(device: string): ConnectError {
  return new ConnectError('E_TIMEOUT', `${device} did not answer within 10 s: see \`edgepod get devices\``);
}
