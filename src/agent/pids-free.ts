/** Process ids left on this machine. */
import { readFileSync } from 'node:fs';

export function pidsFree(): number {
  const used = Number(readFileSync('/proc/loadavg', 'utf8').split('/')[1]?.split(' ', 1)[0] ?? 0);
  return Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')) - used;
}
