import type { Timers } from '../timers.ts';
import type { PodEvent } from '../types.ts';

/** An event tells what happened; recording it is a durable write, which may wait until the start it tells of is through. */
const DELAY_MS = 50;

/** Collects events for a moment and records them together. */
export class EventQueue {
  readonly #record: (event: PodEvent) => void;
  readonly #timers: Timers;
  readonly #atomically: <T>(run: () => T) => T;
  readonly #onError: (error: unknown) => void;
  #waiting: PodEvent[] = [];
  #cancel: (() => void) | undefined;

  constructor({
    record,
    timers,
    atomically,
    onError,
  }: {
    record: (event: PodEvent) => void;
    timers: Timers;
    atomically: <T>(run: () => T) => T;
    onError: (error: unknown) => void;
  }) {
    this.#record = record;
    this.#timers = timers;
    this.#atomically = atomically;
    this.#onError = onError;
  }

  push(event: PodEvent): void {
    this.#waiting.push(event);
    this.#cancel ??= this.#timers.after(DELAY_MS, () => this.flush());
  }

  /**
   * Records what is waiting if a warning is among it: called in the transaction that writes what came of it, so that an
   * agent that dies has either told or will find the same fault again.
   */
  flushWarnings(): void {
    if (this.#waiting.some(({ type }) => type === 'Warning')) this.flush();
  }

  /** Records what is waiting. Events are advisory: one that cannot be recorded is dropped and reported. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const events = this.#waiting.splice(0);
    if (events.length === 0) return;
    try {
      this.#atomically(() => events.forEach(this.#record));
    } catch (error) {
      this.#onError(error);
    }
  }
}
