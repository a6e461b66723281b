import type { Socket } from 'node:net';
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import { reconnectDelay } from './backoff.ts';
import { type BrokerAccess, clientOptions, DEFAULT_LIMITS, type SessionLimits } from './client-options.ts';
import { dispatch, incoming, wantsRedelivery } from './dispatch.ts';
import { LogLimiter } from './log-limiter.ts';
import { publishSize } from './packet-size.ts';
import {
  type BrokerLog,
  type ConnectionInfo,
  type Link,
  LinkError,
  type PublishOptions,
  type Route,
  type SessionListener,
} from './ports.ts';
import { type Identity, type PresenceState, presence } from './presence.ts';
import { type AttemptOutcome, FIRST_CHOICE, nextProtocol } from './protocol-version.ts';
import { connectHint, isVersionRefusal, SESSION_TAKEN_OVER } from './refusal.ts';
import { linkDown, SendWindow } from './send-window.ts';
import { Subscriber } from './subscriber.ts';

/** `waiting`: not connected, the next attempt is due after the back-off. */
export type SessionState = 'idle' | 'connecting' | 'connected' | 'waiting' | 'stopping' | 'stopped';

export interface SessionOptions {
  access: BrokerAccess;
  identity: Identity;
  presenceTopic: string;
  /** A number higher than any before, on disk when it returns (store.meta). May throw: then one is made up from the last. */
  nextSession: () => number;
  log: BrokerLog;
  limits?: Partial<SessionLimits>;
  random?: () => number;
}

/** PUBACK reason code: accepted, but nobody subscribes. */
const NO_SUBSCRIBERS = 16;
/** Our own bound on unacknowledged publishes, under whatever the broker allows. */
const MAX_WINDOW = 16;
/** What MQTT allows when the broker names no limit. */
const MAX_PACKET = 268_435_455;
/** A connection that lived this long counts as good: the back-off starts over. */
const STABLE_MS = 30_000;
/** For the farewell: PUBACK of `offline`, then DISCONNECT. */
const FAREWELL_MS = 2000;
/** Connections lost early, in a row, before it is said: mosquitto 2.0 does not tell a client that it was taken over. */
const SHORT_LIVED = 3;
/** Attempts the back-off jumps to when another client uses our id: two agents must not throw each other out every second. */
const TAKEOVER_ATTEMPT = 4;

/**
 * The agent's connection to the broker, for as long as the agent lives: it never gives up and never throws because of the
 * network. INVARIANTS
 * - A message is acknowledged only after its route has returned, and what a route does is synchronous and durable.
 * - MQTT.js never holds a message of ours longer than one connection: what is in flight at its end is rejected to whoever
 *   sent it, who has it in the outbox. (MQTT wants the same packet sent again; a new packet with the newest body does.)
 * - There is one connection attempt at a time and all timing is in `reconnectPeriod`, changed inside 'reconnect'.
 */
export class BrokerSession implements Link {
  #options: SessionOptions;
  #limits: SessionLimits;
  #random: () => number;
  #limiter = new LogLimiter();
  #listeners: SessionListener[] = [];
  #routes: Route[] = [];
  #subscriber: Subscriber;
  #client: MqttClient | undefined;
  #state: SessionState = 'idle';
  #session = 0;
  #attempt = 0;
  #protocol = FIRST_CHOICE;
  #outcome: AttemptOutcome = 'failed';
  #window = closedWindow();
  #maximumPacketSize = MAX_PACKET;
  #inFlight = new Set<number>();
  /** Packet ids the broker acknowledged with "no matching subscribers": MQTT.js does not pass that on. */
  #unheard = new Set<number>();
  /** Set when a message could not be stored: nothing more of this connection is acknowledged. */
  #refusing = false;
  #stableTimer: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;
  /** Connections in a row that did not become stable. */
  #shortLived = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#random = options.random ?? Math.random;
    this.#subscriber = new Subscriber(this.#routes, options.log);
  }

  get state(): SessionState {
    return this.#state;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  /** Number of the current or newest connection; 0 before the first attempt. */
  get sessionNumber(): number {
    return this.#session;
  }

  get freeSlots(): number {
    return this.#window.free;
  }

  addListener(listener: SessionListener): void {
    this.#listeners.push(listener);
  }

  /** To be called before `start`: every connection subscribes to what the routes ask for. */
  addRoute(route: Route): void {
    this.#routes.push(route);
  }

  /** Starts connecting; returns at once. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'connecting';
    this.#outcome = 'closed-silently';
    this.#newSessionNumber();
    const options = clientOptions(this.#options.access, this.#limits);
    options.will = this.#will();
    options.reconnectPeriod = reconnectDelay(0, this.#random);
    const client = mqtt.connect(this.#options.access.url, options);
    this.#client = client;
    client.handleMessage = (packet, done) => this.#receive(packet, done);
    client.on('connect', (packet) => this.#guarded('connect', () => this.#onConnect(client, packet)));
    client.on('reconnect', () => this.#guarded('reconnect', () => this.#onReconnect(client.options)));
    client.on('close', () => this.#guarded('close', () => this.#onClose(client)));
    client.on('error', (error) => this.#guarded('error', () => this.#onError(error)));
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'puback' && packet.reasonCode === NO_SUBSCRIBERS) this.#unheard.add(packet.messageId ?? 0);
    });
    client.on('disconnect', (packet) => this.#guarded('disconnect', () => this.#onDisconnect(packet.reasonCode ?? 0)));
  }

  /** Says `offline` if there is somebody to say it to, and disconnects; at most about four seconds. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const client = this.#client;
    if (client === undefined) {
      this.#state = 'stopped';
      return;
    }
    const wasConnected = this.#state === 'connected';
    if (wasConnected) {
      const farewell = this.#announce('offline').catch((error: unknown) => this.#complain('farewell', error));
      await withTimeout(farewell, FAREWELL_MS);
    }
    this.#state = 'stopping';
    // A publish still waiting for its PUBACK would make MQTT.js wait for it without end: they are removed here.
    this.#endConnection(client);
    if (wasConnected) this.#tell('disconnected');
    const ended = new Promise<void>((resolve) => client.end(!wasConnected, { reasonCode: 0 }, () => resolve()));
    await withTimeout(ended, FAREWELL_MS);
    // A second end() does nothing while the first one waits; without its stream the client is done.
    client.stream.destroy();
    this.#state = 'stopped';
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

  /** For figures that are worth nothing later. False, and nothing sent or kept, when the link is down or congested. */
  publishQos0(topic: string, payload: Uint8Array): boolean {
    const client = this.#client;
    if (client === undefined || !this.connected || !this.fits(topic, payload)) return false;
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

  /** Runs inside MQTT.js's packet loop; `done` without an error is what sends the PUBACK. */
  #receive(packet: IPublishPacket, done: (error?: Error) => void): void {
    if (this.#refusing) {
      done(new Error('not acknowledged: an earlier message could not be stored'));
      return;
    }
    // MQTT.js counts only PINGRESP as a sign of life, and that waits behind a long replay of retained messages. Not for
    // QoS 0: no PUBACK goes out for it, and the broker wants to hear from us too.
    if (packet.qos > 0) this.#client?.reschedulePing(true);
    const message = incoming(packet, !this.#subscriber.confirmed);
    try {
      if (!dispatch(this.#routes, message)) this.#options.log.debug({ topic: message.topic }, 'unexpected topic');
    } catch (error) {
      if (wantsRedelivery(error)) {
        this.#refusing = true;
        this.#complain('store', error);
        done(error as Error);
        // MQTT.js goes on with the next packet as if nothing had happened: only a new connection brings it again.
        this.#client?.stream.destroy();
        return;
      }
      this.#options.log.error({ err: error, topic: message.topic }, 'message could not be handled, dropped');
    }
    done();
  }

  #onConnect(client: MqttClient, packet: IConnackPacket): void {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#state = 'connected';
    this.#outcome = 'lost';
    // Nagle's algorithm against the broker's delayed ACK costs 40 ms per window of publishes. (WebSockets have no such call.)
    (client.stream as Partial<Pick<Socket, 'setNoDelay'>>).setNoDelay?.(true);
    const window = Math.min(packet.properties?.receiveMaximum ?? MAX_WINDOW, MAX_WINDOW);
    this.#window = new SendWindow(window, () => this.#tell('room'));
    this.#maximumPacketSize = packet.properties?.maximumPacketSize ?? MAX_PACKET;
    const info: ConnectionInfo = {
      session: this.#session,
      protocolVersion: this.#protocol.version,
      sessionPresent: packet.sessionPresent,
      window,
      maximumPacketSize: this.#maximumPacketSize,
    };
    this.#options.log.info({ event: 'broker.connected', ...info }, 'connected to the broker');
    this.#stableTimer = setTimeout(() => this.#onStable(client.options), STABLE_MS);
    this.#stableTimer.unref();
    this.#announce('online').catch((error: unknown) => this.#complain('presence', error));
    this.#subscriber.subscribe(client, this.#protocol.version);
    this.#tell('connected', info);
  }

  #onStable(options: IClientOptions): void {
    this.#attempt = 0;
    this.#shortLived = 0;
    options.reconnectPeriod = reconnectDelay(0, this.#random);
  }

  /** Just before an attempt: what it will use, and how long to wait should it fail. */
  #onReconnect(options: IClientOptions): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'connecting';
    this.#refusing = false;
    this.#attempt += 1;
    options.reconnectPeriod = reconnectDelay(this.#attempt, this.#random);
    // A number is used up once the broker may hold a Will with it that a later birth must outrank. While the broker is
    // away it is not, and nothing is written to disk however long that lasts.
    if (this.#outcome === 'lost') this.#newSessionNumber();
    this.#protocol = nextProtocol(this.#protocol, this.#outcome);
    this.#outcome = 'closed-silently';
    options.protocolVersion = this.#protocol.version;
    options.will = this.#will();
  }

  #onClose(client: MqttClient): void {
    const wasConnected = this.#state === 'connected';
    this.#endConnection(client);
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#state = 'waiting';
    if (!wasConnected) return;
    this.#shortLived += 1;
    if (this.#shortLived >= SHORT_LIVED) this.#reportTakeover('it keeps breaking soon after it was made');
    this.#limiter.pass('lost', (suppressed) =>
      this.#options.log.warn({ event: 'broker.lost', suppressed }, 'connection to the broker lost'),
    );
    this.#tell('disconnected');
  }

  /** Leaves nothing of the connection behind. */
  #endConnection(client: MqttClient): void {
    clearTimeout(this.#stableTimer);
    this.#subscriber.reset();
    this.#window.close();
    for (const id of [...this.#inFlight]) client.removeOutgoingMessage(id);
    this.#inFlight.clear();
    this.#unheard.clear();
  }

  #onError(error: Error & { code?: unknown }): void {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    if (isVersionRefusal(error.code) && this.#state === 'connecting') {
      this.#outcome = 'version-refused';
      this.#options.log.info({ version: this.#protocol.version }, 'the broker does not speak this version of MQTT');
    } else {
      if (this.#state === 'connecting' && error.code !== 'ECONNRESET') this.#outcome = 'failed';
      this.#complain(this.#state === 'connected' ? 'protocol' : 'connect', error);
    }
    // After a packet it could not read MQTT.js would keep the link open and read nothing any more.
    this.#client?.stream.destroy();
  }

  #onDisconnect(reasonCode: number): void {
    if (reasonCode !== SESSION_TAKEN_OVER) return;
    this.#attempt = Math.max(this.#attempt, TAKEOVER_ATTEMPT);
    if (this.#client) this.#client.options.reconnectPeriod = reconnectDelay(this.#attempt, this.#random);
    this.#reportTakeover('the broker says so');
  }

  #reportTakeover(sign: string): void {
    const { clientId } = this.#options.access;
    this.#limiter.pass('takeover', (suppressed) =>
      this.#options.log.error(
        { event: 'broker.takeover', clientId, suppressed },
        `the connection seems to be taken over by another client (${sign}): do two devices have one id?`,
      ),
    );
  }

  #newSessionNumber(): void {
    try {
      this.#session = this.#options.nextSession();
    } catch (error) {
      this.#session += 1;
      this.#complain('session number', error);
    }
  }

  #will(): NonNullable<IClientOptions['will']> {
    const { presenceTopic, identity } = this.#options;
    return {
      topic: presenceTopic,
      payload: presence('lost', this.#session, identity),
      qos: 1,
      retain: true,
      properties: { willDelayInterval: this.#limits.willDelaySeconds },
    };
  }

  async #announce(state: PresenceState): Promise<void> {
    const { presenceTopic, identity } = this.#options;
    await this.publish(presenceTopic, presence(state, this.#session, identity), { retain: true });
  }

  #complain(what: string, error: unknown): void {
    const { code, message } = error as { code?: unknown; message?: string };
    if (code === 'link-down') return;
    this.#limiter.pass(`${what} ${String(code)}`, (suppressed) =>
      this.#options.log.warn({ event: `broker.${what}`, code, suppressed }, `${message}: ${connectHint(code)}`),
    );
  }

  #tell(what: 'connected' | 'disconnected' | 'room', info?: ConnectionInfo): void {
    for (const listener of this.#listeners) {
      this.#guarded(what, () => (info ? listener.connected?.(info) : listener[what as 'room']?.()));
    }
  }

  /** An exception inside a listener would leave MQTT.js stuck in the middle of its packet loop. */
  #guarded(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.log.error({ err: error, what }, 'internal error in the broker session');
    }
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

/** Waits for `work`, but not for long; what it throws later is its own business. */
async function withTimeout(work: Promise<void>, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
