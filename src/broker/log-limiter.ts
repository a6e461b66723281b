/** Lets the same complaint through once per interval, with the number it stands for. Time is monotonic, milliseconds. */
export class LogLimiter {
  #intervalMs: number;
  #monotonicMs: () => number;
  #seen = new Map<string, { at: number; suppressed: number }>();

  constructor({ intervalMs = 60_000, monotonicMs = () => performance.now() } = {}) {
    this.#intervalMs = intervalMs;
    this.#monotonicMs = monotonicMs;
  }

  /** Calls `write` unless `key` was written within the interval; `suppressed` counts those left out since. */
  pass(key: string, write: (suppressed: number) => void): void {
    const now = this.#monotonicMs();
    const entry = this.#seen.get(key);
    if (entry !== undefined && now - entry.at < this.#intervalMs) {
      entry.suppressed += 1;
      return;
    }
    // Keys come from a small set; should one ever carry a peer's text, this bounds it.
    if (this.#seen.size >= 64) this.#seen.clear();
    this.#seen.set(key, { at: now, suppressed: 0 });
    write(entry?.suppressed ?? 0);
  }
}
