/**
 * Somebody who watches the board's pods on a connection of their own. On one that also publishes, a broker that leaves
 * Nagle's algorithm on (mosquitto does) holds back the next status until the last small packet is acknowledged: 40 ms.
 */
import mqtt, { type MqttClient } from 'mqtt';
import type { Pod } from '../../src/manifest/types/pod.ts';
import type { Board } from '../integration/board/board.ts';

export class Observer {
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  static async open(board: Board): Promise<Observer> {
    const client = await mqtt.connectAsync(board.mosquitto.url, { protocolVersion: 5 });
    await client.subscribeAsync(board.topic('status/pods/#'), { qos: 1 });
    return new Observer(client);
  }

  /** Resolves with the next status that satisfies `accept`. */
  until(accept: (pod: Pod) => boolean): Promise<Pod> {
    const { promise, resolve } = Promise.withResolvers<Pod>();
    const look = (_topic: string, payload: Buffer) => {
      const pod = payload.length === 0 ? undefined : (JSON.parse(payload.toString()) as Pod);
      if (!pod || !accept(pod)) return;
      this.#client.off('message', look);
      resolve(pod);
    };
    this.#client.on('message', look);
    return promise;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
