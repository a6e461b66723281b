/** Publishes one pod's status when it changed, and not for every step of a start that takes milliseconds. */
import { isProgressOnly } from '../status/pod-status.ts';
import type { Timers } from '../timers.ts';
import type { PublishedPod } from '../types.ts';

/** How long "it is being started" may be held back: each publication is a durable write and a message. */
const HOLD_MS = 100;
const RETRY_MS = 10_000;

export class StatusPublisher {
  readonly #publish: (pod: PublishedPod) => void;
  readonly #onError: (error: unknown) => void;
  readonly #timers: Timers;
  #published: string | undefined;
  #latest: PublishedPod | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor({
    publish,
    onError,
    timers,
  }: { publish: (pod: PublishedPod) => void; onError: (error: unknown) => void; timers: Timers }) {
    this.#publish = publish;
    this.#onError = onError;
    this.#timers = timers;
  }

  /** The newest status; the one offered before and not yet published is superseded. */
  offer(pod: PublishedPod): void {
    this.#latest = pod;
    if (!isProgressOnly(pod)) this.flush();
    else this.#schedule(HOLD_MS);
  }

  /** The newest status offered, published or not. */
  latest(): PublishedPod | undefined {
    return this.#latest;
  }

  /** Publishes what is waiting, if it differs from what was published last. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const text = JSON.stringify(this.#latest);
    if (this.#latest === undefined || text === this.#published) return;
    try {
      this.#publish(this.#latest);
      this.#published = text;
    } catch (error) {
      this.#onError(error);
      this.#schedule(RETRY_MS);
    }
  }

  /** The pod is gone; what was held back is not published any more. */
  clear(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#latest = undefined;
    this.#published = undefined;
  }

  #schedule(ms: number): void {
    this.#cancelTimer ??= this.#timers.after(ms, () => this.flush());
  }
}
