/** Whether the board's clock can be right. Pure. */

const second = (time: Date) => `${time.toISOString().slice(0, 19)}Z`;

/**
 * What is wrong with a clock that says `now`; undefined when nothing speaks against it. A board without a battery for its
 * clock begins in the past, and no time can be before that at which this program was made.
 */
export function clockFault(now: Date, programMade: Date): string | undefined {
  if (now >= programMade) return undefined;
  return `says ${second(now)}, and this program was made ${second(programMade)}: until it is set (NTP, lan.ntp), certificates count as not yet valid and times in statuses are wrong`;
}
