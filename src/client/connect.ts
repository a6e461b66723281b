/** An operator's connection to the broker: short-lived, clean session, errors a person can act on. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';

export interface BrokerOptions {
  url: string;
  username?: string;
  password?: string;
  /** PEM, as are the other two. */
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/** `code`: E_BROKER_UNREACHABLE, E_BROKER_REFUSED. */
export class ConnectError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects with MQTT 5. Resolves once the broker accepted.
 * @param clientId also the first part of this client's own topics, `<prefix>/clients/<clientId>/…`
 * @throws ConnectError
 */
export function connect(options: BrokerOptions, clientId: string): Promise<MqttClient> {
  const { promise, resolve, reject } = Promise.withResolvers<MqttClient>();
  const client = mqtt.connect(options.url, { ...mqttOptions(options), clientId });
  const fail = (error: Error) => {
    client.end(true);
    reject(explain(error, options.url));
  };
  const timer = setTimeout(() => fail(new Error('no answer within 10 s')), CONNECT_TIMEOUT_MS);
  client.once('error', fail);
  client.once('close', () => fail(new Error('connection closed')));
  client.once('connect', () => {
    clearTimeout(timer);
    client.removeAllListeners('error');
    client.removeAllListeners('close');
    client.on('error', () => {}); // a later failure shows as 'close', which every waiter watches
    resolve(client);
  });
  return promise.finally(() => clearTimeout(timer));
}

function mqttOptions({ url, ...credentials }: BrokerOptions): IClientOptions {
  return {
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    writeCache: false,
    ...credentials,
  };
}

function explain(error: Error & { code?: unknown }, url: string): ConnectError {
  if (error.message.includes('Not authorized') || error.message.includes('Bad User'))
    return new ConnectError('E_BROKER_REFUSED', `the broker ${url} refused the user name or password`, error);
  const reason = error.message || String(error.code ?? 'connection failed');
  return new ConnectError(
    'E_BROKER_UNREACHABLE',
    `cannot reach the broker ${url}: ${reason} (is it running? set --broker or EDGEPOD_BROKER)`,
    error,
  );
}
