/** Validates references to images and when they are pulled. */
import { LIMITS } from '../limits.ts';
import type { Container } from '../types/container.ts';
import type { Issues } from './issues.ts';
import { readOneOf, readRequiredString, unlessBlank } from './read.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;

/** Only what every reference has in common: the image store parses it. */
export function readImageReference(issues: Issues, path: string, value: unknown): string | undefined {
  const image = readRequiredString(issues, path, value);
  if (image === undefined) return undefined;
  if (/[\s\p{Cc}]/u.test(image)) issues.invalid(path, image, 'must not contain white space');
  if (image.length > LIMITS.image) issues.invalid(path, image, `must be no more than ${LIMITS.image} characters`);
  return image;
}

export function readPullPolicy(issues: Issues, path: string, value: unknown): Container['imagePullPolicy'] | undefined {
  return readOneOf(issues, path, unlessBlank(value), PULL_POLICIES);
}
