/** Counts on the command line. */
import { InvalidArgumentError } from 'commander';

/** A number of something, 0 included; throws commander's InvalidArgumentError, which names the option. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}
