/**
 * Back-off as the kubelet does it: 10 s, doubled up to 300 s. Everything here is monotonic time: the wall clock of a
 * board may jump by decades when it first hears of the network's time.
 */
import type { BackoffEntry } from './types.ts';

export const BACKOFF_INITIAL_MS = 10_000;
export const BACKOFF_MAX_MS = 300_000;
/** A container that ran this long since its last restart starts again with a clean slate. */
const EXPIRES_AFTER_MS = 2 * BACKOFF_MAX_MS;

/**
 * When a container that ended at `finishedMono` may be started again: at once the first time, then `delayMs` after its
 * end. The entry has expired when the attempt ended more than 600 s after the entry was last touched.
 */
export const restartDueAt = (entry: BackoffEntry | undefined, finishedMono: number): number =>
  entry === undefined || expired(entry, finishedMono) ? finishedMono : finishedMono + entry.delayMs;

/** The entry after a restart at `now` of an attempt that ended at `finishedMono`. */
export const nextBackoff = (entry: BackoffEntry | undefined, finishedMono: number, now: number): BackoffEntry => ({
  delayMs:
    entry === undefined || expired(entry, finishedMono)
      ? BACKOFF_INITIAL_MS
      : Math.min(entry.delayMs * 2, BACKOFF_MAX_MS),
  updatedMono: now,
});

const expired = (entry: BackoffEntry, finishedMono: number): boolean =>
  finishedMono - entry.updatedMono > EXPIRES_AFTER_MS;

/** A step that failed and when it may be tried again. */
export interface Retry {
  failures: number;
  delayMs: number;
  /** Monotonic ms. */
  notBefore: number;
}

/** After one more failure at `now`: 10 s, 20 s, … 300 s. */
export const nextRetry = (previous: Retry | undefined, now: number): Retry => {
  const delayMs = previous ? Math.min(previous.delayMs * 2, BACKOFF_MAX_MS) : BACKOFF_INITIAL_MS;
  return { failures: (previous?.failures ?? 0) + 1, delayMs, notBefore: now + delayMs };
};
