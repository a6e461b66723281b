/** What an operator does with a fleet over MQTT: read what is retained, publish desired state, watch, call. */
import { randomBytes } from 'node:crypto';
import type { IPublishPacket, MqttClient } from 'mqtt';
import type { Pod } from '../manifest/types/pod.ts';
import { type BrokerOptions, ConnectError, connect } from './connect.ts';
import { jsonObject } from './json.ts';
import { type DesiredKind, desiredTopic, deviceOf, deviceTopic, ownTopic, podStatusTopic, takes } from './topics.ts';

export interface DevicePod {
  device: string;
  pod: Pod;
}

export interface Device {
  name: string;
  presence?: { state: string; bootId?: string; session?: number; agentVersion?: string };
  node?: Record<string, unknown>;
}

export interface Message {
  topic: string;
  payload: Buffer;
  retained: boolean;
}

/** Upper bound for a round trip to the broker and for the first answer of a device. */
const ANSWER_TIMEOUT_MS = 10_000;

export class Fleet {
  readonly client: MqttClient;
  readonly clientId: string;
  readonly prefix: string;
  #listeners = new Set<(message: Message, packet: IPublishPacket) => void>();

  constructor(client: MqttClient, clientId: string, prefix: string) {
    this.client = client;
    this.clientId = clientId;
    this.prefix = prefix;
    client.on('message', (topic, payload, packet) => {
      for (const listener of this.#listeners) listener({ topic, payload, retained: packet.retain }, packet);
    });
  }

  /** Connects under a random client id. @throws ConnectError */
  static async open(options: BrokerOptions, prefix: string): Promise<Fleet> {
    const clientId = `cli-${randomBytes(6).toString('hex')}`;
    return new Fleet(await connect(options, clientId), clientId, prefix);
  }

  async close(): Promise<void> {
    await this.client.endAsync();
  }

  /** Calls `listener` for every message on any subscription until the returned function is called. */
  listen(listener: (message: Message, packet: IPublishPacket) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Everything retained under the filters, complete: a broker sends what is retained before anything published
   * after the subscription, so a marker to ourselves says when it is over. The subscriptions stay, so there may be
   * messages of earlier ones among these.
   */
  async retained(filters: string[]): Promise<Message[]> {
    const found = new Map<string, Message>();
    const marker = ownTopic(this.prefix, this.clientId, 'marker');
    const nonce = randomBytes(8).toString('hex');
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.listen((message) => {
      if (message.topic === marker) {
        if (message.payload.toString() === nonce) resolve();
      } else if (!filters.some((filter) => takes(filter, message.topic))) return;
      else if (message.payload.length === 0) found.delete(message.topic);
      else found.set(message.topic, message);
    });
    try {
      await this.client.subscribeAsync([marker, ...filters], { qos: 1 });
      await this.client.publishAsync(marker, nonce, { qos: 1 });
      await this.#within(promise, 'the broker did not answer');
    } finally {
      stop();
    }
    return [...found.values()];
  }

  /** Pods as last reported, of one device or of all; optionally one namespace and name. */
  async pods({ device = '+', namespace = '+', name = '+' } = {}): Promise<DevicePod[]> {
    const messages = await this.retained([podStatusTopic(this.prefix, device, namespace, name)]);
    return messages.flatMap((message) => this.podOf(message) ?? []).sort(byDeviceAndName);
  }

  /** The pod in a status message; undefined for any other message. */
  podOf(message: Message): DevicePod | undefined {
    if (!message.topic.startsWith(`${this.prefix}/devices/`) || !message.topic.includes('/status/pods/'))
      return undefined;
    const pod = jsonObject(message.payload) as Pod | undefined;
    return pod && { device: deviceOf(this.prefix, message.topic), pod };
  }

  /** Every device that ever reported, by name. */
  async devices(): Promise<Device[]> {
    const filters = (['presence', 'node'] as const).map((what) => deviceTopic(this.prefix, '+', what));
    const devices = new Map<string, Device>();
    for (const { topic, payload } of await this.retained(filters)) {
      const name = deviceOf(this.prefix, topic);
      const device = devices.get(name) ?? { name };
      devices.set(name, { ...device, [topic.endsWith('/node') ? 'node' : 'presence']: jsonObject(payload) });
    }
    return [...devices.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** What this device last said about itself; undefined when nothing was ever heard of it. */
  async presence(device: string): Promise<Device['presence'] | undefined> {
    const [message] = await this.retained([deviceTopic(this.prefix, device, 'presence')]);
    return message && (jsonObject(message.payload) as Device['presence']);
  }

  /** What is desired now, as published; undefined when nothing is. */
  async desired(device: string, kind: DesiredKind, namespace: string, name: string): Promise<unknown> {
    const topic = desiredTopic(this.prefix, device, kind, namespace, name);
    const [message] = await this.retained([topic]);
    return message && jsonObject(message.payload);
  }

  /** Publishes desired state, retained; resolves when the broker has it. */
  async publishDesired(
    device: string,
    kind: DesiredKind,
    namespace: string,
    name: string,
    object: unknown,
  ): Promise<void> {
    const topic = desiredTopic(this.prefix, device, kind, namespace, name);
    const packet = await this.client.publishAsync(topic, JSON.stringify(object), { qos: 1, retain: true });
    const code = (packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0;
    if (code >= 0x80)
      throw new ConnectError(
        'E_BROKER_REFUSED',
        `the broker refused ${topic} (reason 0x${code.toString(16)}): see its ACL`,
      );
  }

  /**
   * The first defined answer of `decide` to a message under `filter` (retained ones included); undefined after `timeoutMs`.
   * @throws ConnectError when the connection is lost
   */
  async until<T>(
    filter: string,
    timeoutMs: number,
    decide: (message: Message) => T | undefined,
  ): Promise<T | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const onClose = () => reject(new ConnectError('E_BROKER_UNREACHABLE', 'the connection to the broker was lost'));
    this.client.once('close', onClose);
    const stop = this.listen((message) => {
      const answer = takes(filter, message.topic) ? decide(message) : undefined;
      if (answer !== undefined) resolve(answer);
    });
    try {
      await this.client.subscribeAsync(filter, { qos: 1 });
      return await promise;
    } finally {
      clearTimeout(timer);
      stop();
      this.client.off('close', onClose);
    }
  }

  /** `promise`, but an error when the connection closes or nothing comes in time. */
  async #within<T>(promise: Promise<T>, complaint: string, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const onClose = () => reject(new ConnectError('E_BROKER_UNREACHABLE', 'the connection to the broker was lost'));
    const timer = setTimeout(() => reject(new ConnectError('E_TIMEOUT', complaint)), timeoutMs);
    this.client.once('close', onClose);
    try {
      return await Promise.race([promise, failed]);
    } finally {
      clearTimeout(timer);
      this.client.off('close', onClose);
    }
  }
}

/** The order of a listing. */
export function byDeviceAndName(a: DevicePod, b: DevicePod): number {
  const key = ({ device, pod }: DevicePod) => `${device}\0${pod.metadata.namespace}\0${pod.metadata.name}`;
  return key(a).localeCompare(key(b));
}
