/** Holds the fields of an object against the field table: nothing is silently ignored. */
import { FIELDS, type Field, type FieldTable, type TypeName } from '../fields.ts';
import { type Issues, member, show } from './issues.ts';

/** How many letters may differ for a known name to be suggested. */
const MAX_DISTANCE = 2;
/** Longer names are not compared: the comparison takes time quadratic in their length. */
const MAX_COMPARED = 40;

/** Reports every field of `object` that is unknown, refused, or ignored although it asks for something. */
export function checkFields(
  issues: Issues,
  type: TypeName,
  object: Readonly<Record<string, unknown>>,
  path: string,
): void {
  const table: FieldTable = FIELDS[type];
  for (const [name, value] of Object.entries(object)) {
    const at = member(path, name);
    const field = Object.hasOwn(table, name) ? table[name] : undefined;
    if (field === undefined) issues.error(at, unknown(name, Object.keys(table)));
    else if (field.support !== 'yes' && !asksNothing(field, value)) report(issues, field, at, value);
  }
}

function report(issues: Issues, field: Field, path: string, value: unknown): void {
  if (field.support === 'refused') {
    const supported = field.neutral.filter((neutral) => typeof neutral === 'string');
    const hint = supported.length > 0 ? ` (got ${show(value)}, possible: ${supported.map(show).join(', ')})` : '';
    issues.error(path, `${field.forbidden ? 'Forbidden' : 'not supported'}: ${field.note}${hint}`);
  } else if (!field.quiet) issues.warn(path, `ignored: ${field.note}`);
}

/** Whether a value says no more than leaving the field out would: `kubectl --dry-run` prints many of these. */
function asksNothing(field: Field, value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (field.neutral.some((neutral) => sameShallow(neutral, value))) return true;
  if (field.strict) return false;
  return value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function sameShallow(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const entries = Object.entries(a);
  return (
    Object.keys(b).length === entries.length &&
    entries.every(([key, value]) => Object.hasOwn(b, key) && (b as Record<string, unknown>)[key] === value)
  );
}

function unknown(name: string, known: readonly string[]): string {
  const close = closest(name, known);
  return `unknown field${close === undefined ? '' : `: did you mean "${close}"?`}`;
}

function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_COMPARED) return undefined;
  const lower = name.toLowerCase();
  const distances = known.map((word) => ({ word, distance: distance(lower, word.toLowerCase()) }));
  const best = distances.reduce((a, b) => (b.distance < a.distance ? b : a));
  return best.distance <= Math.min(MAX_DISTANCE, Math.floor(name.length / 3)) ? best.word : undefined;
}

/** Levenshtein distance: letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
