/** Asks an attempt over and over on the event loop, and counts its answers as the native thread does. */
import type { ProbeTiming, ProbeVerdict } from '../../pods/ports.ts';
import type { Attempt } from './attempts.ts';
import { count, type Tally } from './thresholds.ts';

/** What cannot be asked is tried this often at once, then left to the next period: it says nothing about the container. */
const RETRIES = 3;

export interface Listeners {
  onVerdict(verdict: ProbeVerdict): void;
  /** A failure that made no verdict. */
  onFailure(message: string): void;
}

/** Starts after the initial delay; nothing is told after `stop()`. */
export function watchAttempt(
  attempt: Attempt,
  timing: ProbeTiming,
  { onVerdict, onFailure }: Listeners,
): { stop(): void } {
  let stopped = false;
  let tally: Tally = { run: 0 };
  let timer: NodeJS.Timeout;
  const ask = async () => {
    const started = performance.now();
    let verdict: ProbeVerdict | undefined;
    for (let retry = 0; retry < RETRIES && !verdict && !stopped; retry++) verdict = await attempt(timing.timeoutMs);
    if (stopped) return;
    timer = setTimeout(ask, Math.max(0, started + timing.periodMs - performance.now())).unref();
    if (!verdict) return;
    const counted = count(tally, verdict.ok, timing);
    tally = counted.tally;
    if (counted.changed) onVerdict(verdict);
    else if (!verdict.ok) onFailure(verdict.message);
  };
  const jitter = Math.random() * Math.min(timing.periodMs / 10, 100);
  timer = setTimeout(ask, timing.initialDelayMs + jitter).unref();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
