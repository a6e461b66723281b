/** Collects what is wrong with a manifest, with Kubernetes' wording and exact JSON paths. */
import { LIMITS } from '../limits.ts';
import type { FieldError } from '../types/field-error.ts';

/** The longest value or key quoted in a reason: reasons are published, manifests may be hostile. */
const QUOTED = 80;

export class Issues {
  readonly errors: FieldError[] = [];
  readonly warnings: FieldError[] = [];

  error(path: string, reason: string): void {
    push(this.errors, path, reason);
  }

  warn(path: string, reason: string): void {
    push(this.warnings, path, reason);
  }

  required(path: string, what = ''): void {
    this.error(path, `Required value${what && `: ${what}`}`);
  }

  invalid(path: string, value: unknown, must: string): void {
    this.error(path, `Invalid value: ${show(value)}: ${must}`);
  }

  duplicate(path: string, value: unknown): void {
    this.error(path, `Duplicate value: ${show(value)}`);
  }

  unsupported(path: string, value: unknown, values: readonly string[]): void {
    this.error(path, `Unsupported value: ${show(value)}: supported values: ${values.map(show).join(', ')}`);
  }
}

/** `value` as quoted in a reason: JSON, cut short; only the kind of an object or list. */
export function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return kind(value);
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, QUOTED + 1) : value) ?? String(value);
  return typeof value === 'string' && value.length > QUOTED ? `${JSON.stringify(value.slice(0, QUOTED))}…` : text;
}

/** What a value is, for people. */
export function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'boolean' ? 'a boolean' : `a ${typeof value}`;
}

/** `parent.name`; a name that is no plain word is written `parent[name]`, as Kubernetes writes map keys. */
export function member(parent: string, name: string): string {
  const plain = /^[A-Za-z_][\w-]{0,99}$/.test(name);
  if (plain) return parent === '' ? name : `${parent}.${name}`;
  const safe = name.length > QUOTED ? `${name.slice(0, QUOTED)}…` : name;
  return `${parent}[${/^[\w./\u2026-]*$/.test(safe) ? safe : JSON.stringify(safe)}]`;
}

function push(list: FieldError[], path: string, reason: string): void {
  if (list.length < LIMITS.reported - 1) list.push({ path, reason });
  else if (list.length === LIMITS.reported - 1)
    list.push({ path: '', reason: 'Too many problems: only the first are listed' });
}
