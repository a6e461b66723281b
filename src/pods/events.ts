/**
 * Which events of one pod go out. The same event again and again is reported once in five minutes with its count, and
 * a pod may have a burst of 25 and then one in five minutes (the figures of client-go's spam filter).
 */
import type { PodEvent } from './types.ts';

const REPEAT_AFTER_MS = 300_000;
const BURST = 25;
const REFILL_MS = 300_000;
/** Different events remembered per pod; the oldest is forgotten first. */
const REMEMBERED = 64;

export class EventFilter {
  /** Event identity → when it was last let through and how often it happened since. */
  readonly #seen = new Map<string, { sentAt: number; suppressed: number }>();
  #tokens = BURST;
  #refilledAt: number;

  constructor(now: number) {
    this.#refilledAt = now;
  }

  /** The event with its count, or undefined if it is to be kept back. `now` is monotonic ms. */
  pass(event: Omit<PodEvent, 'count'>, now: number): PodEvent | undefined {
    const key = [event.type, event.reason, event.pod.uid, event.container, event.message].join('\0');
    const seen = this.#seen.get(key);
    const repeatedTooSoon = seen !== undefined && now - seen.sentAt < REPEAT_AFTER_MS;
    if (repeatedTooSoon || !this.#take(now)) {
      if (seen) seen.suppressed += 1;
      return undefined;
    }
    this.#seen.delete(key);
    this.#seen.set(key, { sentAt: now, suppressed: 0 });
    this.#forgetOldest();
    return { ...event, count: 1 + (seen?.suppressed ?? 0) };
  }

  #take(now: number): boolean {
    const refill = Math.floor((now - this.#refilledAt) / REFILL_MS);
    if (refill > 0) {
      this.#tokens = Math.min(BURST, this.#tokens + refill);
      this.#refilledAt += refill * REFILL_MS;
    }
    if (this.#tokens === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  #forgetOldest(): void {
    if (this.#seen.size <= REMEMBERED) return;
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}
