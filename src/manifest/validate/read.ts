/**
 * Reads one value of an expected type. Each reader takes null for absent, as Kubernetes does, and answers undefined
 * when the value is absent or was reported as wrong; `present` drops such members from an object.
 */
import { LIMITS } from '../limits.ts';
import { type Issues, kind } from './issues.ts';

export type RawObject = Readonly<Record<string, unknown>>;

/** `T` with the members that may be undefined made optional. */
export type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without its undefined members. */
export function present<T extends object>(object: T): Present<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
}

/** Undefined for an object without members. */
export function notEmpty<T extends object>(object: T): T | undefined {
  return Object.keys(object).length > 0 ? object : undefined;
}

export function readObject(issues: Issues, path: string, value: unknown): RawObject | undefined {
  if (isObject(value)) return value;
  return wrongType(issues, path, value, 'an object');
}

/** An object that must be there: an item of a list, for one. */
export function readRequiredObject(issues: Issues, path: string, value: unknown): RawObject | undefined {
  if (value === undefined || value === null) return void issues.required(path);
  return readObject(issues, path, value);
}

/** The name of the one member of `names` that is set, `{}` included; undefined, and reported, for none or several. */
export function readChoice<T extends string>(
  issues: Issues,
  path: string,
  raw: RawObject,
  names: readonly T[],
): T | undefined {
  const [first, ...others] = names.filter((name) => raw[name] !== undefined && raw[name] !== null);
  if (first === undefined) return void issues.required(path, `must specify one of: ${names.join(', ')}`);
  for (const other of others) issues.error(`${path}.${other}`, `Forbidden: may not be specified with ${first}`);
  return others.length === 0 ? first : undefined;
}

/** `""` as absent: what Go writes for a string that was not set. */
export function unlessBlank(value: unknown): unknown {
  return value === '' ? undefined : value;
}

export function isObject(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The items of a list; an absent list is empty. One with too many items is reported and read as empty. */
export function readList(issues: Issues, path: string, value: unknown, most: number): readonly unknown[] {
  if (!Array.isArray(value)) return wrongType(issues, path, value, 'a list') ?? [];
  if (value.length <= most) return value;
  issues.error(path, `Too many: ${value.length}: must have at most ${most} items`);
  return [];
}

export function readString(issues: Issues, path: string, value: unknown): string | undefined {
  if (typeof value !== 'string') return wrongType(issues, path, value, 'a string (in YAML, put it in quotes)');
  if (!value.includes('\0')) return value;
  issues.error(path, 'Invalid value: must not contain a NUL character');
  return undefined;
}

/** A string that must be there. */
export function readRequiredString(issues: Issues, path: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return void issues.required(path);
  return readString(issues, path, value);
}

/** A string that must be there and follow a rule. */
export function readNamed(
  issues: Issues,
  path: string,
  value: unknown,
  rule: (text: string) => string | undefined,
): string | undefined {
  const text = readRequiredString(issues, path, value);
  const broken = text === undefined ? undefined : rule(text);
  if (broken === undefined) return text;
  issues.invalid(path, text, broken);
  return undefined;
}

/** As readNamed; absent when absent or empty. */
export function readOptionalNamed(
  issues: Issues,
  path: string,
  value: unknown,
  rule: (text: string) => string | undefined,
): string | undefined {
  return unlessBlank(value) === undefined || value === null ? undefined : readNamed(issues, path, value, rule);
}

/** A path below another one, without `..`. */
export function relativePathRule(text: string): string | undefined {
  return text.startsWith('/') ? 'must be a relative path' : pathRule(text);
}

export function readBoolean(issues: Issues, path: string, value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : wrongType(issues, path, value, 'true or false');
}

/** A whole number from `min` to `max`. */
export function readInteger(
  issues: Issues,
  path: string,
  value: unknown,
  { min = 0, max = LIMITS.id }: { min?: number; max?: number } = {},
): number | undefined {
  if (typeof value !== 'number') return wrongType(issues, path, value, 'a whole number');
  if (Number.isInteger(value) && value >= min && value <= max) return value === 0 ? 0 : value;
  issues.invalid(path, value, `must be a whole number from ${min} to ${max}`);
  return undefined;
}

/** One of `values`. */
export function readOneOf<T extends string>(
  issues: Issues,
  path: string,
  value: unknown,
  values: readonly T[],
): T | undefined {
  if (typeof value !== 'string') return wrongType(issues, path, value, 'a string');
  if (values.includes(value as T)) return value as T;
  issues.unsupported(path, value, values);
  return undefined;
}

/** A path from the root without `..`, NUL or more than PATH_MAX bytes. */
export function readAbsolutePath(issues: Issues, path: string, value: unknown): string | undefined {
  const text = readString(issues, path, value);
  if (text === undefined) return undefined;
  const must = !text.startsWith('/') ? 'must be an absolute path' : pathRule(text);
  if (must === undefined) return text;
  issues.invalid(path, text, must);
  return undefined;
}

/** Why `text` is not usable as a path in any place; undefined when it is. */
export function pathRule(text: string): string | undefined {
  if (text.split('/').includes('..')) return "must not contain '..'";
  if (Buffer.byteLength(text) > LIMITS.path) return `must be no more than ${LIMITS.path} bytes`;
  return undefined;
}

function wrongType(issues: Issues, path: string, value: unknown, expected: string): undefined {
  if (value !== undefined && value !== null)
    issues.error(path, `Invalid value: got ${kind(value)}, expected ${expected}`);
  return undefined;
}
