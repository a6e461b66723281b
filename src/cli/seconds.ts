/** Durations on the command line: `30`, `90s`, `5m`, `1h`. */
import { InvalidArgumentError } from 'commander';

const UNITS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600 };

/** Seconds; throws commander's InvalidArgumentError, which names the option. */
export function seconds(text: string): number {
  const match = /^(\d+)([smh]?)$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected a duration like 90s, 5m or 1h');
  return Number(match[1]) * UNITS[match[2]!]!;
}
