import type { IClientSubscribeOptions, MqttClient } from 'mqtt';
import type { BrokerLog, Route } from './ports.ts';

/** A broker that refuses a subscription leaves the device deaf: it is asked again, rarely. */
const RETRY_MS = 5 * 60_000;

/** Subscribes a connection to all routes and knows whether the broker has confirmed it. */
export class Subscriber {
  #routes: readonly Route[];
  #log: BrokerLog;
  #confirmed = false;
  #retryTimer: NodeJS.Timeout | undefined;
  /** Counts connections, so that a late answer to an old one is not taken for the new one's. */
  #connection = 0;

  constructor(routes: readonly Route[], log: BrokerLog) {
    this.#routes = routes;
    this.#log = log;
  }

  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** To be called when the connection has ended. */
  reset(): void {
    this.#confirmed = false;
    this.#connection += 1;
    clearTimeout(this.#retryTimer);
  }

  /**
   * Subscribes at every connect, whatever the broker remembers: with Retain Handling 0 it then sends all retained state
   * again, which is what correctness rests on. Retain As Published is off, so the retain flag tells replay from live.
   */
  subscribe(client: MqttClient, protocolVersion: 4 | 5): void {
    const connection = this.#connection;
    const wanted: Record<string, IClientSubscribeOptions> = {};
    for (const { filters, qos, mqtt5Only } of this.#routes) {
      if (mqtt5Only === true && protocolVersion < 5) continue;
      for (const filter of filters) wanted[filter] = { qos, rh: 0, rap: false, nl: false };
    }
    client.subscribe(wanted, (error) => {
      if (connection !== this.#connection) return;
      if (error === null) {
        this.#confirmed = true;
        return;
      }
      const filters = Object.keys(wanted);
      this.#log.error({ err: error, filters }, 'the broker refused a subscription: see its access list');
      this.#retryTimer = setTimeout(() => this.subscribe(client, protocolVersion), RETRY_MS);
      this.#retryTimer.unref();
    });
  }
}
