/** Durations as kubectl prints them: `45s`, `3m20s`, `7h`, `12d`. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param seconds negative (a board without a clock) prints as `<invalid>` */
export function duration(seconds: number): string {
  const s = Math.floor(seconds);
  if (!Number.isFinite(s) || s < -1) return '<invalid>';
  if (s < 2 * MINUTE) return `${Math.max(0, s)}s`;
  if (s < 10 * MINUTE) return withRest(s, MINUTE, 'm', 1, 's');
  if (s < 3 * HOUR) return `${Math.floor(s / MINUTE)}m`;
  if (s < 8 * HOUR) return withRest(s, HOUR, 'h', MINUTE, 'm');
  if (s < 2 * DAY) return `${Math.floor(s / HOUR)}h`;
  if (s < 8 * DAY) return withRest(s, DAY, 'd', HOUR, 'h');
  return `${Math.floor(s / DAY)}d`;
}

/** Age of an RFC 3339 time. */
export function age(time: string | undefined, now: Date = new Date()): string {
  return time ? duration((now.getTime() - Date.parse(time)) / 1000) : '<unknown>';
}

function withRest(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)}${bigUnit}${rest === 0 ? '' : `${rest}${smallUnit}`}`;
}
