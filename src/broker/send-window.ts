import { LinkError } from './ports.ts';

/**
 * Slots for unacknowledged QoS 1 publishes of one connection. MQTT.js ignores the broker's Receive Maximum, and a broker
 * may close a connection that exceeds it. A window belongs to one connection and is closed with it.
 */
export class SendWindow {
  #capacity: number;
  #used = 0;
  #waiting: { resolve: () => void; reject: (error: LinkError) => void }[] = [];
  #closed = false;
  #onRoom: () => void;

  constructor(capacity: number, onRoom: () => void) {
    this.#capacity = capacity;
    this.#onRoom = onRoom;
  }

  get free(): number {
    return this.#closed ? 0 : this.#capacity - this.#used;
  }

  /** Takes a slot, at once if one is free (before the promise is awaited), else in order. Rejects when closed. */
  take(): Promise<void> {
    if (this.#closed) return Promise.reject(linkDown());
    if (this.#used < this.#capacity) {
      this.#used += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Gives a slot back: to whoever waits longest, else `onRoom` is called. */
  give(): void {
    if (this.#closed) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.resolve();
      return;
    }
    this.#used -= 1;
    this.#onRoom();
  }

  close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(linkDown());
  }
}

export function linkDown(): LinkError {
  return new LinkError('link-down', 'not connected to the broker');
}
