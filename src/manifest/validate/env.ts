/** Validates `env`, `command` and `args`: the strings a program is started with. */
import { ExpansionError, expandReferences, MAX_STRING } from '../env.ts';
import { LIMITS } from '../limits.ts';
import type { EnvVar } from '../types/env.ts';
import { readValueFrom } from './env-source.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { variableName } from './names.ts';
import { present, readList, readNamed, readRequiredObject, readString } from './read.ts';

/** What a container's strings were expanded with and how much room is left for more of them. */
export interface Expansion {
  variables: Map<string, string>;
  /** Bytes. */
  room: number;
}

export function newExpansion(): Expansion {
  return { variables: new Map(), room: LIMITS.strings };
}

/** Adds the variables to `expansion`, in order of definition. */
export function readEnv(issues: Issues, path: string, value: unknown, expansion: Expansion): EnvVar[] {
  const env: EnvVar[] = [];
  const names = new Set<string>();
  for (const [i, item] of readList(issues, path, value, LIMITS.env).entries()) {
    const variable = readVariable(issues, `${path}[${i}]`, item);
    if (variable === undefined) continue;
    const { name } = variable;
    if (names.has(name)) issues.warn(`${path}[${i}].name`, 'hides an earlier definition of the same name');
    const expanded = expand(issues, `${path}[${i}].value`, variable.value ?? '', expansion, name.length + 1);
    // What a reference will give is not known here: a reference to it is left as it is, which is not checked further.
    if (variable.valueFrom !== undefined) expansion.variables.delete(name);
    else if (expanded !== undefined) expansion.variables.set(name, expanded);
    names.add(name);
    env.push(variable);
  }
  return env;
}

/** A list of words of a command line; undefined when absent or empty, which mean the same. */
export function readWords(issues: Issues, path: string, value: unknown, expansion: Expansion): string[] | undefined {
  const words: string[] = [];
  for (const [i, item] of readList(issues, path, value, LIMITS.words).entries()) {
    const word = item === null ? '' : readString(issues, `${path}[${i}]`, item);
    if (word === undefined) continue;
    expand(issues, `${path}[${i}]`, word, expansion, 0);
    words.push(word);
  }
  return words.length > 0 ? words : undefined;
}

function readVariable(issues: Issues, path: string, item: unknown): EnvVar | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'EnvVar', raw, path);
  const name = readNamed(issues, `${path}.name`, raw.name, variableName) ?? '';
  const value = readString(issues, `${path}.value`, raw.value) ?? '';
  if (raw.valueFrom === undefined || raw.valueFrom === null) return { name, value };
  if (value !== '') issues.error(`${path}.valueFrom`, 'Forbidden: may not be specified when `value` is not empty');
  return present({ name, valueFrom: readValueFrom(issues, `${path}.valueFrom`, raw.valueFrom) });
}

/** The kernel's limits, met here with a reason instead of at execve with E2BIG. Once the room is used up, no more. */
function expand(issues: Issues, path: string, text: string, expansion: Expansion, prefix: number): string | undefined {
  if (expansion.room < 0) return undefined;
  try {
    const expanded = expandReferences(text, expansion.variables);
    const size = Buffer.byteLength(expanded) + prefix + 1;
    expansion.room -= size;
    if (expansion.room < 0)
      issues.error(path, `Too long: env, command and args are more than ${LIMITS.strings} bytes together`);
    else if (size <= MAX_STRING) return expanded;
    else issues.error(path, 'Too long: must be less than 128 KiB');
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    issues.error(path, `Too long: ${error.message}`);
  }
  return undefined;
}
