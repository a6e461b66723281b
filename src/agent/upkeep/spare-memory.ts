/**
 * Gives back the memory the agent does not need. Free heap of the C library and pages that only starting needed go every
 * time; a full collection of garbage, which stops the agent for some tens of milliseconds, is for when the heap has grown
 * and there is nothing to do: V8 by itself keeps what many pods left behind until it needs the room, which may be never.
 */
import { getHeapStatistics } from 'node:v8';
import type { Addon } from '../../runtime/native.ts';

interface SpareMemoryOptions {
  addon: Pick<Addon, 'releaseMemory'>;
  /** Bytes V8 holds for objects and code. */
  heapBytes?: () => number;
  /** Share of the time since the last call in which the event loop had something to do. */
  busyShare?: () => number;
  /** Collects everything there is to collect. */
  collect?: () => void;
}

const QUIET_SHARE = 0.02;
const GROWTH_BYTES = 512 * 1024;

export class SpareMemory {
  readonly #options: Required<SpareMemoryOptions>;
  #afterLast = 0;

  constructor(options: SpareMemoryOptions) {
    this.#options = { heapBytes, busyShare: busyShareMeter(), collect: collectGarbage, ...options };
  }

  /** To be called once a minute. */
  async release(): Promise<void> {
    const { addon, heapBytes, busyShare, collect } = this.#options;
    const quiet = busyShare() < QUIET_SHARE;
    if (quiet && heapBytes() >= this.#afterLast + GROWTH_BYTES) {
      collect();
      this.#afterLast = heapBytes();
    }
    await addon.releaseMemory();
  }
}

const heapBytes = () => getHeapStatistics().total_heap_size;

/** Compiled code goes with the last resort only. Without --expose-gc, which the launcher sets, nothing happens. */
function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

function busyShareMeter(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}
