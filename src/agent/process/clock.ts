/** Both clocks. The monotonic one counts from boot, so that times within one boot compare across agent restarts. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../pods/ports.ts';

export function systemClock(): Clock {
  const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ', 1)[0]) * 1000;
  const offset = uptimeMs - performance.now();
  return { now: () => new Date(), monotonicMs: () => offset + performance.now() };
}
