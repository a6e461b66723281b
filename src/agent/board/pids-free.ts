/** Process ids of this machine. */
import { readFileSync } from 'node:fs';

export function pidLimit(): number {
  return Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
}

/** Those that are not taken. */
export function pidsFree(): number {
  const used = Number(readFileSync('/proc/loadavg', 'utf8').split('/')[1]?.split(' ', 1)[0] ?? 0);
  return pidLimit() - used;
}
