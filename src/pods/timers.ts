/** Delays as an interface, so that a table can make an hour pass in a microsecond. */
export interface Timers {
  /** Calls `run` once, `ms` from now; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** The event loop's own timers. They do not keep the process alive: the agent's sockets do. */
export const realTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, Math.max(0, ms));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
