/** Validates `seccompProfile` and `appArmorProfile`. */
import type { SecurityProfile } from '../types/security.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { readObject, readOneOf, readRequiredString, readString, relativePathRule, unlessBlank } from './read.ts';

const TYPES = ['RuntimeDefault', 'Unconfined', 'Localhost'] as const;

/** `localhostProfile` is a file below the device's directory of profiles. */
export function readSeccomp(issues: Issues, path: string, value: unknown): SecurityProfile | undefined {
  return readProfile(issues, path, value, 'SeccompProfile', relativePathRule);
}

/** `localhostProfile` is the name of a profile the device's kernel has loaded. */
export function readAppArmor(issues: Issues, path: string, value: unknown): SecurityProfile | undefined {
  return readProfile(issues, path, value, 'AppArmorProfile', (text) => {
    if (text !== text.trim()) return 'must not be padded with white space';
    return text.length > 4095 ? 'must be no more than 4095 characters' : undefined;
  });
}

function readProfile(
  issues: Issues,
  path: string,
  value: unknown,
  table: 'SeccompProfile' | 'AppArmorProfile',
  rule: (text: string) => string | undefined,
): SecurityProfile | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, table, raw, path);
  const given = readRequiredString(issues, `${path}.type`, raw.type);
  const type = given === undefined ? undefined : readOneOf(issues, `${path}.type`, given, TYPES);
  const at = `${path}.localhostProfile`;
  const profile = readString(issues, at, unlessBlank(raw.localhostProfile));
  if (type === undefined) return undefined;
  if (type !== 'Localhost') {
    if (profile !== undefined) issues.invalid(at, profile, 'can only be set when type is Localhost');
    return { type };
  }
  if (profile === undefined) {
    if (unlessBlank(raw.localhostProfile) === undefined || raw.localhostProfile === null)
      issues.required(at, 'must be set when type is Localhost');
    return undefined;
  }
  const broken = rule(profile);
  if (broken !== undefined) issues.invalid(at, profile, broken);
  return { type, localhostProfile: profile };
}
