/** Names from the command line that become levels of a topic: a stray `/`, `+` or `#` would name something else. */
import { InvalidArgumentError } from 'commander';
import { LEVEL_NAME } from '../client/topics.ts';
import { CommandError } from './failure.ts';

const EXPECTED = 'lower-case letters, digits, "-" and "."';

/** Value of an option; throws commander's InvalidArgumentError, which names the option. */
export function deviceName(text: string): string {
  if (!LEVEL_NAME.test(text)) throw new InvalidArgumentError(`a device is named with ${EXPECTED}`);
  return text;
}

/** Value of an option; throws commander's InvalidArgumentError, which names the option. */
export function namespaceName(text: string): string {
  if (!LEVEL_NAME.test(text)) throw new InvalidArgumentError(`a namespace is named with ${EXPECTED}`);
  return text;
}

/** Name of a pod, ConfigMap or Secret. @throws CommandError */
export function objectName(text: string): string {
  if (!LEVEL_NAME.test(text)) throw new CommandError(`"${text}" is no name: names have ${EXPECTED}`);
  return text;
}
