import type { MqttClient } from 'mqtt';
import { publishSize } from './packet-size.ts';
import { LinkError, type PublishOptions } from './ports.ts';
import { linkDown, SendWindow } from './send-window.ts';

/** Our own bound on unacknowledged publishes, under whatever the broker allows. */
const MAX_WINDOW = 16;
/** What MQTT allows when the broker names no limit. */
const MAX_PACKET = 268_435_455;
/** PUBACK reason code: accepted, but nobody subscribes. */
const NO_SUBSCRIBERS = 16;

/** What the broker said in its CONNACK; a 3.1.1 broker says nothing. */
export interface BrokerLimits {
  receiveMaximum?: number | undefined;
  maximumPacketSize?: number | undefined;
}

/**
 * The sending half of one connection at a time. INVARIANT: MQTT.js never holds a message of ours longer than a connection:
 * what is in flight at its end is rejected to whoever sent it, who has it in the outbox. (MQTT wants the same packet sent
 * again; a new packet with the newest body serves, and nothing is sent that is no longer true.)
 */
export class Sender {
  #client: MqttClient | undefined;
  #window = closedWindow();
  #maximumPacketSize = MAX_PACKET;
  #inFlight = new Set<number>();
  /** Packet ids the broker acknowledged with "no matching subscribers": MQTT.js does not pass that on. */
  #unheard = new Set<number>();

  /** Takes up a new connection; returns the limits in force. `onRoom`: a slot came free and nobody waited for it. */
  open(client: MqttClient, limits: BrokerLimits, onRoom: () => void) {
    this.#client = client;
    const window = Math.min(limits.receiveMaximum ?? MAX_WINDOW, MAX_WINDOW);
    this.#window = new SendWindow(window, onRoom);
    this.#maximumPacketSize = limits.maximumPacketSize ?? MAX_PACKET;
    return { window, maximumPacketSize: this.#maximumPacketSize };
  }

  /** The connection has ended: everything waiting and in flight is rejected with `link-down`. */
  close(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#window.close();
    for (const id of [...this.#inFlight]) client?.removeOutgoingMessage(id);
    this.#inFlight.clear();
    this.#unheard.clear();
  }

  get freeSlots(): number {
    return this.#window.free;
  }

  /** To be called with every PUBACK before MQTT.js handles it. */
  sawPuback(messageId: number, reasonCode: number): void {
    if (reasonCode === NO_SUBSCRIBERS && this.#inFlight.has(messageId)) this.#unheard.add(messageId);
  }

  fits(topic: string, payload: Uint8Array, options?: PublishOptions): boolean {
    return publishSize(topic, payload, options) <= this.#maximumPacketSize;
  }

  async publish(topic: string, payload: Uint8Array, options: PublishOptions = {}): Promise<number> {
    if (!this.fits(topic, payload, options)) {
      throw new LinkError('too-large', `${topic}: ${payload.length} bytes are more than the broker takes`);
    }
    const window = this.#window;
    await window.take();
    try {
      return await this.#send(topic, payload, options);
    } finally {
      window.give();
    }
  }

  publishQos0(topic: string, payload: Uint8Array): boolean {
    const client = this.#client;
    if (client === undefined || !client.connected || !this.fits(topic, payload)) return false;
    if (client.stream.writableNeedDrain) return false;
    client.publish(topic, asBuffer(payload), { qos: 0 });
    return true;
  }

  #send(topic: string, payload: Uint8Array, options: PublishOptions): Promise<number> {
    const client = this.#client;
    if (client === undefined || !client.connected || client.disconnecting) return Promise.reject(linkDown());
    return new Promise((resolve, reject) => {
      let id = 0;
      const done = (error?: Error | null, packet?: unknown) => {
        this.#inFlight.delete(id);
        const reason = (packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0;
        if (!error) resolve(this.#unheard.delete(id) ? NO_SUBSCRIBERS : 0);
        else if (reason >= 0x80) reject(new LinkError('refused', `${topic}: ${error.message}`, reason));
        else reject(linkDown());
      };
      const properties = {
        ...(options.correlation !== undefined && { correlationData: asBuffer(options.correlation) }),
        ...(options.userProperties !== undefined && { userProperties: options.userProperties }),
      };
      client.publish(topic, asBuffer(payload), { qos: 1, retain: options.retain === true, properties }, done);
      id = client.getLastMessageId();
      this.#inFlight.add(id);
    });
  }
}

function closedWindow(): SendWindow {
  const window = new SendWindow(0, () => {});
  window.close();
  return window;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
