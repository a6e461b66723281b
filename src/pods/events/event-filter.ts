/**
 * Which events of one pod go out. The same event again and again is reported with its count after five minutes, then
 * after ten, twenty, … and at last once a day: what stays wrong for weeks costs nothing. A pod may have a burst of 25 and
 * then one in five minutes (the figures of client-go's spam filter).
 */
import type { PodEvent } from '../types.ts';

const FIRST_REPEAT_MS = 300_000;
const LAST_REPEAT_MS = 24 * 3_600_000;
/** After so long a pause it is news again. */
const QUIET_MS = 600_000;
const BURST = 25;
const REFILL_MS = 300_000;
/** Different events remembered per pod; the oldest is forgotten first. */
const REMEMBERED = 64;

/** What happened. Events of one `series` are the same event, whatever their messages; default: the message. */
export type Happening = Omit<PodEvent, 'count'> & { series?: string };

interface Seen {
  sentAt: number;
  happenedAt: number;
  /** From `sentAt` on. */
  silentMs: number;
  suppressed: number;
}

export class EventFilter {
  readonly #seen = new Map<string, Seen>();
  #tokens = BURST;
  #refilledAt: number;

  constructor(now: number) {
    this.#refilledAt = now;
  }

  /** The event with its count, or undefined if it is to be kept back. `now` is monotonic ms. */
  pass({ series, ...event }: Happening, now: number): PodEvent | undefined {
    const key = [event.type, event.reason, event.pod.uid, event.container, series ?? event.message].join('\0');
    const seen = this.#seen.get(key);
    const goesOn = seen !== undefined && now - seen.happenedAt <= QUIET_MS;
    if (seen) seen.happenedAt = now;
    if ((goesOn && now - seen.sentAt < seen.silentMs) || !this.#take(now)) {
      if (seen) seen.suppressed += 1;
      return undefined;
    }
    this.#seen.delete(key);
    const silentMs = goesOn ? Math.min(seen.silentMs * 2, LAST_REPEAT_MS) : FIRST_REPEAT_MS;
    this.#seen.set(key, { sentAt: now, happenedAt: now, silentMs, suppressed: 0 });
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
