/** What the broker part needs from the rest of the agent, and the small shapes its own files share. */

/** pino's shape. */
export interface BrokerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A message as it arrived. `retained` is true only for the broker's replay after subscribing. */
export interface IncomingMessage {
  topic: string;
  payload: Uint8Array;
  retained: boolean;
  responseTopic?: string;
  correlation?: Uint8Array;
  userProperties: Record<string, string>;
  /** It came before this connection's subscription was confirmed: something the broker kept from an earlier connection. */
  leftover: boolean;
}

/** What the broker granted for one connection. */
export interface ConnectionInfo {
  session: number;
  protocolVersion: 4 | 5;
  sessionPresent: boolean;
  /** Unacknowledged QoS 1 publishes we may have on the wire. */
  window: number;
  /** Largest packet the broker takes, bytes. */
  maximumPacketSize: number;
}

/** Told about connections, in the order they were added. A listener must not throw; if it does, it is logged. */
export interface SessionListener {
  connected?(info: ConnectionInfo): void;
  disconnected?(): void;
  /** A slot of the send window came free. */
  room?(): void;
}

export interface PublishOptions {
  retain?: boolean;
  correlation?: Uint8Array;
  userProperties?: Record<string, string>;
}

/** The sending half of a session, as the pump and the rpc server see it. */
export interface Link {
  readonly connected: boolean;
  /** Slots of the send window that are free now. */
  readonly freeSlots: number;
  /** Whether the packet would fit into what the broker takes. */
  fits(topic: string, payload: Uint8Array, options?: PublishOptions): boolean;
  /**
   * QoS 1; resolves with the broker's reason code (0, or 16: nobody subscribes) at PUBACK. Rejects with a LinkError
   * (`link-down`, `refused`, `too-large`); after `link-down` nobody knows whether it arrived.
   */
  publish(topic: string, payload: Uint8Array, options?: PublishOptions): Promise<number>;
}

/** Why a publish did not succeed. `reasonCode` is MQTT 5's, set for `refused`. */
export class LinkError extends Error {
  readonly code: 'link-down' | 'refused' | 'too-large';
  readonly reasonCode: number;

  constructor(code: LinkError['code'], message: string, reasonCode = 0) {
    super(message);
    this.name = 'LinkError';
    this.code = code;
    this.reasonCode = reasonCode;
  }
}

/** Where messages of some filters go. `handle` is synchronous: when it returns, the message is acknowledged. */
export interface Route {
  filters: readonly string[];
  qos: 0 | 1;
  /** Needs MQTT 5: not subscribed with an older broker. */
  mqtt5Only?: boolean;
  /**
   * An error with `retry: true` means "not durable, do not acknowledge": the link is broken off and the broker sends the
   * message again after the back-off. Any other error is logged and the message acknowledged: poison must not block.
   */
  handle(message: IncomingMessage): void;
}
