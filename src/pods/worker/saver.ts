/**
 * When a pod's record is written. Flash is a budget: changes are collected, and only what something depends on (a
 * launch before it happens, an exit before it is acknowledged, an end before the removal) is written at once.
 */
import type { Timers } from '../timers.ts';

const LAZY_MS = 1_000;
const RETRY_MS = 10_000;

export class RecordSaver {
  readonly #write: () => void;
  readonly #onError: (error: unknown) => void;
  readonly #timers: Timers;
  #dirty = false;
  #urgent = false;
  #cancelTimer: (() => void) | undefined;
  /** Called after the next write that succeeds. */
  #afterSave: (() => void)[] = [];

  constructor({ write, onError, timers }: { write: () => void; onError: (error: unknown) => void; timers: Timers }) {
    this.#write = write;
    this.#onError = onError;
    this.#timers = timers;
  }

  /** Something changed that may be lost without harm: written within a second, with whatever else changed. */
  mark(): void {
    this.#dirty = true;
    this.#schedule(LAZY_MS);
  }

  /** Something changed that is to be durable after this tick; then `done` is called. */
  markUrgent(done?: () => void): void {
    this.#dirty = true;
    this.#urgent = true;
    if (done) this.#afterSave.push(done);
  }

  /** Writes now. Throws what the store throws; the change stays marked. */
  save(): void {
    this.#dirty = true;
    this.#write();
    this.#cancel();
    this.#dirty = false;
    this.#urgent = false;
    for (const done of this.#afterSave.splice(0)) done();
  }

  /** Writes if something urgent (or, with `all`, anything) is waiting; a failure is reported and tried again later. */
  flush({ all = false } = {}): void {
    if (!(this.#urgent || (all && this.#dirty))) return;
    try {
      this.save();
    } catch (error) {
      this.#onError(error);
      this.#schedule(RETRY_MS);
    }
  }

  /** Forgets everything: the record was deleted. */
  discard(): void {
    this.#cancel();
    this.#dirty = false;
    this.#urgent = false;
    this.#afterSave = [];
  }

  #schedule(ms: number): void {
    this.#cancelTimer ??= this.#timers.after(ms, () => {
      this.#cancelTimer = undefined;
      this.flush({ all: true });
    });
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
