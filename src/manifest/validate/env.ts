/** Validates `env`, `command` and `args`: the strings a program is started with. */
import { ExpansionError, expandReferences, MAX_STRING } from '../env.ts';
import { LIMITS } from '../limits.ts';
import type { EnvVar } from '../types.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { readList, readObject, readString } from './read.ts';

/** Printable ASCII but `=` (Kubernetes' relaxed rule, general since 1.34). */
const NAME = /^[ -<>-~]+$/;

export function readEnv(issues: Issues, path: string, value: unknown): EnvVar[] {
  const env: EnvVar[] = [];
  const variables = new Map<string, string>();
  for (const [i, item] of readList(issues, path, value, LIMITS.env).entries()) {
    const variable = readVariable(issues, `${path}[${i}]`, item);
    if (variable === undefined) continue;
    if (variables.has(variable.name)) issues.warn(`${path}[${i}].name`, 'hides an earlier definition of the same name');
    const expanded = expand(issues, `${path}[${i}].value`, variable.value, variables, variable.name.length + 1);
    if (expanded !== undefined) variables.set(variable.name, expanded);
    env.push(variable);
  }
  return env;
}

/** A list of words of a command line; undefined when absent or empty, which mean the same. */
export function readWords(issues: Issues, path: string, value: unknown, env: readonly EnvVar[]): string[] | undefined {
  const variables = new Map<string, string>();
  for (const { name, value } of env) variables.set(name, expandQuietly(value, variables));
  const words: string[] = [];
  for (const [i, item] of readList(issues, path, value, LIMITS.words).entries()) {
    const word = item === null ? '' : readString(issues, `${path}[${i}]`, item);
    if (word === undefined) continue;
    expand(issues, `${path}[${i}]`, word, variables, 0);
    words.push(word);
  }
  return words.length > 0 ? words : undefined;
}

function readVariable(issues: Issues, path: string, item: unknown): EnvVar | undefined {
  const raw = readObject(issues, path, item);
  if (raw === undefined) {
    if (item === null || item === undefined) issues.required(path);
    return undefined;
  }
  checkFields(issues, 'EnvVar', raw, path);
  const name = readString(issues, `${path}.name`, raw.name);
  if (raw.name === undefined || raw.name === null || name === '') issues.required(`${path}.name`);
  else if (name !== undefined && !NAME.test(name))
    issues.invalid(`${path}.name`, name, "must be printable ASCII without '='");
  return { name: name ?? '', value: readString(issues, `${path}.value`, raw.value) ?? '' };
}

/** The kernel's limit, met here with a reason instead of at execve with E2BIG. */
function expand(
  issues: Issues,
  path: string,
  text: string,
  variables: ReadonlyMap<string, string>,
  prefix: number,
): string | undefined {
  try {
    const expanded = expandReferences(text, variables);
    if (Buffer.byteLength(expanded) + prefix < MAX_STRING) return expanded;
    issues.error(path, 'Too long: must be less than 128 KiB');
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    issues.error(path, `Too long: ${error.message}`);
  }
  return undefined;
}

function expandQuietly(text: string, variables: ReadonlyMap<string, string>): string {
  try {
    return expandReferences(text, variables);
  } catch (error) {
    if (error instanceof ExpansionError) return '';
    throw error;
  }
}
