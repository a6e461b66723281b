import { type IClientOptions, UniqueMessageIdProvider } from 'mqtt';

/** How to reach and convince the broker. Certificates and key are PEM contents, not paths. */
export interface BrokerAccess {
  /** `mqtt://host:1883`, `mqtts://host:8883`, `ws(s)://…`. */
  url: string;
  clientId: string;
  username?: string;
  password?: string;
  ca?: Uint8Array | string;
  cert?: Uint8Array | string;
  key?: Uint8Array | string;
}

export interface SessionLimits {
  /** Seconds between pings; a dead link is noticed after 1.5 times that. */
  keepaliveSeconds: number;
  /** How long the broker remembers us, seconds. Correctness does not depend on it. */
  sessionExpirySeconds: number;
  /** Largest packet we take, bytes: bounds memory. Must be above the largest manifest that deserves an answer. */
  maximumPacketSize: number;
  /** Unacknowledged messages the broker may send us at a time. */
  receiveMaximum: number;
  /** How long the broker waits with the Will, seconds: a reconnect in that time leaves no trace. */
  willDelaySeconds: number;
  connectTimeoutMs: number;
}

export const DEFAULT_LIMITS: SessionLimits = {
  // Two pings a minute would be half of the day's traffic budget already.
  keepaliveSeconds: 60,
  sessionExpirySeconds: 7 * 86_400,
  // A manifest of 1 MiB is refused with a reason. What is larger still the broker withholds.
  maximumPacketSize: 1_048_576 + 65_536,
  receiveMaximum: 16,
  willDelaySeconds: 10,
  connectTimeoutMs: 10_000,
};

/** Pure: MQTT.js options for a session; `will` and `reconnectPeriod` are set per attempt by the session. */
export function clientOptions(access: BrokerAccess, limits: SessionLimits): IClientOptions {
  return {
    clientId: access.clientId,
    protocolVersion: 5,
    clean: false,
    keepalive: limits.keepaliveSeconds,
    connectTimeout: limits.connectTimeoutMs,
    // Without it a refused CONNECT (wrong password, broker still starting) would end all attempts for good.
    reconnectOnConnackError: true,
    // Nothing may pile up in memory while the broker is away: the outbox is in the store.
    queueQoSZero: false,
    // We subscribe at every connect ourselves, which also makes the broker send what is retained.
    resubscribe: false,
    // AWS IoT takes 8 filters in one SUBSCRIBE.
    subscribeBatchSize: 8,
    // 10 MB of prepared numbers otherwise.
    writeCache: false,
    timerVariant: 'native',
    messageIdProvider: new UniqueMessageIdProvider(),
    properties: {
      sessionExpiryInterval: limits.sessionExpirySeconds,
      receiveMaximum: limits.receiveMaximum,
      maximumPacketSize: limits.maximumPacketSize,
      requestProblemInformation: true,
    },
    ...(access.username !== undefined && { username: access.username }),
    ...(access.password !== undefined && { password: access.password }),
    ...(access.ca !== undefined && { ca: asBuffer(access.ca) }),
    ...(access.cert !== undefined && { cert: asBuffer(access.cert) }),
    ...(access.key !== undefined && { key: asBuffer(access.key) }),
  };
}

function asBuffer(pem: Uint8Array | string): Buffer {
  return Buffer.from(pem);
}
