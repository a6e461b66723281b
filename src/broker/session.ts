import type { Socket } from 'node:net';
import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import { type BrokerAccess, clientOptions, DEFAULT_LIMITS, type SessionLimits } from './client-options.ts';
import { dispatch, incoming, wantsRedelivery } from './dispatch.ts';
import type { BrokerLog, ConnectionInfo, Link, PublishOptions, Route, SessionListener } from './ports.ts';
import { type Identity, type PresenceState, presence } from './presence.ts';
import { Reconnection } from './reconnection.ts';
import { isVersionRefusal, SESSION_TAKEN_OVER } from './refusal.ts';
import { Sender } from './sender.ts';
import { SessionLog } from './session-log.ts';
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

/** A connection that lived this long counts as good: the back-off starts over. */
const STABLE_MS = 30_000;
/** For the farewell: PUBACK of `offline`, then DISCONNECT. */
const FAREWELL_MS = 2000;

/**
 * The agent's connection to the broker, for as long as the agent lives: it never gives up and never throws because of the
 * network. INVARIANTS
 * - A message is acknowledged only after its route has returned, and what a route does is synchronous and durable.
 * - There is one connection attempt at a time and all timing is in `reconnectPeriod`, changed inside 'reconnect'.
 */
export class BrokerSession implements Link {
  #options: SessionOptions;
  #limits: SessionLimits;
  #reconnection: Reconnection;
  #log: SessionLog;
  #listeners: SessionListener[] = [];
  #routes: Route[] = [];
  #subscriber: Subscriber;
  #client: MqttClient | undefined;
  #state: SessionState = 'idle';
  #session = 0;
  #sender = new Sender();
  /** Set when a message could not be stored: nothing more of this connection is acknowledged. */
  #refusing = false;
  #stableTimer: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#log = new SessionLog(options.log, options.access.clientId);
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#reconnection = new Reconnection(options.random ?? Math.random);
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
    return this.#sender.freeSlots;
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
    this.#newSessionNumber();
    const options = clientOptions(this.#options.access, this.#limits);
    options.will = this.#will();
    this.#reconnection.first(options);
    const client = mqtt.connect(this.#options.access.url, options);
    this.#client = client;
    client.handleMessage = (packet, done) => this.#receive(packet, done);
    client.on('connect', (packet) => this.#log.guarded('connect', () => this.#onConnect(client, packet)));
    client.on('reconnect', () => this.#log.guarded('reconnect', () => this.#onReconnect(client.options)));
    client.on('close', () => this.#log.guarded('close', () => this.#onClose()));
    client.on('error', (error) => this.#log.guarded('error', () => this.#onError(error)));
    client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'puback') return;
      this.#log.guarded('puback', () => this.#sender.sawPuback(packet.messageId ?? 0, packet.reasonCode ?? 0));
    });
    client.on('disconnect', (packet) =>
      this.#log.guarded('disconnect', () => this.#onDisconnect(packet.reasonCode ?? 0)),
    );
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
      const farewell = this.#announce('offline').catch((error: unknown) => this.#log.complain('farewell', error));
      await withTimeout(farewell, FAREWELL_MS);
    }
    this.#state = 'stopping';
    // A publish still waiting for its PUBACK would make MQTT.js wait for it without end: they are removed here.
    this.#endConnection();
    if (wasConnected) this.#tell('disconnected');
    const ended = new Promise<void>((resolve) => client.end(!wasConnected, { reasonCode: 0 }, () => resolve()));
    await withTimeout(ended, FAREWELL_MS);
    // A second end() does nothing while the first one waits; without its stream the client is done.
    client.stream.destroy();
    this.#state = 'stopped';
  }

  fits(topic: string, payload: Uint8Array, options?: PublishOptions): boolean {
    return this.#sender.fits(topic, payload, options);
  }

  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<number> {
    return this.#sender.publish(topic, payload, options);
  }

  /** For figures that are worth nothing later. False, and nothing sent or kept, when the link is down or congested. */
  publishQos0(topic: string, payload: Uint8Array): boolean {
    return this.connected && this.#sender.publishQos0(topic, payload);
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
        this.#log.complain('store', error);
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
    this.#reconnection.outcome = 'lost';
    // Nagle's algorithm against the broker's delayed ACK costs 40 ms per window of publishes. (WebSockets have no such call.)
    (client.stream as Partial<Pick<Socket, 'setNoDelay'>>).setNoDelay?.(true);
    const granted = this.#sender.open(client, packet.properties ?? {}, () => this.#tell('room'));
    const info: ConnectionInfo = {
      session: this.#session,
      protocolVersion: this.#reconnection.protocolVersion,
      sessionPresent: packet.sessionPresent,
      ...granted,
    };
    this.#options.log.info({ event: 'broker.connected', ...info }, 'connected to the broker');
    this.#stableTimer = setTimeout(() => this.#reconnection.stable(client.options), STABLE_MS);
    this.#stableTimer.unref();
    this.#announce('online').catch((error: unknown) => this.#log.complain('presence', error));
    this.#subscriber.subscribe(client, info.protocolVersion);
    this.#tell('connected', info);
  }

  /** Just before an attempt. */
  #onReconnect(options: IClientOptions): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'connecting';
    this.#refusing = false;
    // A number is used up once the broker may hold a Will with it that a later birth must outrank. While the broker is
    // away it is not, and nothing is written to disk however long that lasts.
    if (this.#reconnection.outcome === 'lost') this.#newSessionNumber();
    this.#reconnection.next(options);
    options.will = this.#will();
  }

  #onClose(): void {
    const wasConnected = this.#state === 'connected';
    this.#endConnection();
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    this.#state = 'waiting';
    if (!wasConnected) return;
    if (this.#reconnection.lost()) this.#log.takenOver('it keeps breaking soon after it was made');
    this.#log.lost();
    this.#tell('disconnected');
  }

  /** Leaves nothing of the connection behind. */
  #endConnection(): void {
    clearTimeout(this.#stableTimer);
    this.#subscriber.reset();
    this.#sender.close();
  }

  #onError(error: Error & { code?: unknown }): void {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    if (isVersionRefusal(error.code) && this.#state === 'connecting') {
      this.#reconnection.outcome = 'version-refused';
      this.#options.log.info(
        { version: this.#reconnection.protocolVersion },
        'the broker does not speak this version of MQTT',
      );
    } else {
      if (this.#state === 'connecting' && error.code !== 'ECONNRESET') this.#reconnection.outcome = 'failed';
      this.#log.complain(this.#state === 'connected' ? 'protocol' : 'connect', error);
    }
    // After a packet it could not read MQTT.js would keep the link open and read nothing any more.
    this.#client?.stream.destroy();
  }

  #onDisconnect(reasonCode: number): void {
    if (reasonCode !== SESSION_TAKEN_OVER) return;
    if (this.#client) this.#reconnection.takenOver(this.#client.options);
    this.#log.takenOver('the broker says so');
  }

  #newSessionNumber(): void {
    try {
      this.#session = this.#options.nextSession();
    } catch (error) {
      this.#session += 1;
      this.#log.complain('session number', error);
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

  #tell(what: 'connected' | 'disconnected' | 'room', info?: ConnectionInfo): void {
    for (const listener of this.#listeners) {
      this.#log.guarded(what, () => (info ? listener.connected?.(info) : listener[what as 'room']?.()));
    }
  }
}

/** Waits for `work`, but not for long; what it throws later is its own business. */
async function withTimeout(work: Promise<void>, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
