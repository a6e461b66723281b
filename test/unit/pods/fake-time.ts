import type { Clock } from '../../../src/pods/ports.ts';
import type { Timers } from '../../../src/pods/timers.ts';

/** Lets every pending microtask and immediate run. Nothing in the fakes waits longer than that. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A clock and timers that move only when told to. */
export class FakeTime implements Clock, Timers {
  #mono = 1_000_000;
  #wall = Date.parse('2026-01-01T00:00:00Z');
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): Date {
    return new Date(this.#wall);
  }

  monotonicMs(): number {
    return this.#mono;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#mono + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Passes `ms`, firing what is due on the way, each with everything that follows from it. */
  async advance(ms: number): Promise<void> {
    const until = this.#mono + ms;
    await settle();
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#moveTo(Math.max(next.at, this.#mono));
      next.run();
      await settle();
    }
    this.#moveTo(until);
  }

  /** The wall clock is set; the monotonic one does not care. */
  setWall(date: Date): void {
    this.#wall = date.getTime();
  }

  /** A new boot: monotonic time begins again. */
  reboot(): void {
    this.#timers.clear();
    this.#mono = 5_000;
  }

  #next(until: number): { at: number; run: () => void } | undefined {
    return [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
  }

  #moveTo(mono: number): void {
    this.#wall += mono - this.#mono;
    this.#mono = mono;
  }
}
