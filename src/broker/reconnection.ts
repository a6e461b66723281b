import type { IClientOptions } from 'mqtt';
import { reconnectDelay } from './backoff.ts';
import { type AttemptOutcome, FIRST_CHOICE, nextProtocol } from './protocol-version.ts';

/** Connections lost early, in a row, before it is said: mosquitto 2.0 does not tell a client that it was taken over. */
const SHORT_LIVED = 3;
/** Attempts the back-off jumps to when another client uses our id: two agents must not throw each other out every second. */
const TAKEOVER_ATTEMPT = 4;

/** What is known about the attempts so far, and what follows for the next one. Changes MQTT.js's options in place. */
export class Reconnection {
  /** How the attempt under way ends, as far as is known: every step that says more sets it. */
  outcome: AttemptOutcome = 'failed';
  #random: () => number;
  #attempt = 0;
  #shortLived = 0;
  #protocol = FIRST_CHOICE;

  constructor(random: () => number) {
    this.#random = random;
  }

  get protocolVersion(): 4 | 5 {
    return this.#protocol.version;
  }

  /** Before the first attempt. */
  first(options: IClientOptions): void {
    this.outcome = 'closed-silently';
    this.#wait(options);
  }

  /** Before every later attempt: the version it speaks, and how long to wait should it fail too. */
  next(options: IClientOptions): void {
    this.#attempt += 1;
    this.#wait(options);
    this.#protocol = nextProtocol(this.#protocol, this.outcome);
    this.outcome = 'closed-silently';
    options.protocolVersion = this.#protocol.version;
  }

  /** The connection has lived long enough to count as good: the back-off starts over. */
  stable(options: IClientOptions): void {
    this.#attempt = 0;
    this.#shortLived = 0;
    this.#wait(options);
  }

  /** An accepted connection ended; true when several in a row did not last, which another client with our id explains. */
  lost(): boolean {
    this.#shortLived += 1;
    return this.#shortLived >= SHORT_LIVED;
  }

  takenOver(options: IClientOptions): void {
    this.#attempt = Math.max(this.#attempt, TAKEOVER_ATTEMPT);
    this.#wait(options);
  }

  #wait(options: IClientOptions): void {
    options.reconnectPeriod = reconnectDelay(this.#attempt, this.#random);
  }
}
