import type { Action, Plan } from './action.ts';

/** Collects, while a plan is made, the earliest moment at which one of its "not yet" answers changes. */
export class Wake {
  readonly #now: number;
  #at: number | undefined;

  constructor(now: number) {
    this.#now = now;
  }

  /** Whether `at` (monotonic ms; undefined: always) has come; if not, it is a moment to plan again. */
  isDue(at: number | undefined): boolean {
    if (at === undefined || at <= this.#now) return true;
    this.#at = Math.min(this.#at ?? at, at);
    return false;
  }

  plan(actions: Action[]): Plan {
    return this.#at === undefined ? { actions } : { actions, wakeAt: this.#at };
  }
}
