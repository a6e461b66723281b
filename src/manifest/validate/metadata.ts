/** Validates `metadata`. */
import { DEFAULT_NAMESPACE } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import type { ObjectMeta } from '../types/metadata.ts';
import { checkFields } from './field-check.ts';
import { type Issues, member } from './issues.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from './names.ts';
import { present, type RawObject, readInteger, readObject, readString, unlessBlank } from './read.ts';

const PATH = 'metadata';
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;
/** Annotations, by the start of their keys, that had a meaning until a field took it over: somebody counts on them. */
const FORMER = [
  ['container.apparmor.security.beta.kubernetes.io/', 'appArmorProfile'],
  ['seccomp.security.alpha.kubernetes.io/', 'seccompProfile'],
  ['container.seccomp.security.alpha.kubernetes.io/', 'seccompProfile'],
] as const;
const MAX_GENERATION = Number.MAX_SAFE_INTEGER;

/** @param namespace what an absent `metadata.namespace` means */
export function readMetadata(issues: Issues, value: unknown, namespace = DEFAULT_NAMESPACE): ObjectMeta | undefined {
  const raw = readObject(issues, PATH, value);
  if (raw === undefined) {
    if (value === undefined || value === null) issues.required(PATH);
    return undefined;
  }
  checkFields(issues, 'ObjectMeta', raw, PATH);
  const metadata = present({
    name: readName(issues, `${PATH}.name`, raw),
    namespace: readNamespace(issues, `${PATH}.namespace`, unlessBlank(raw.namespace) ?? namespace),
    labels: readMap(issues, `${PATH}.labels`, raw.labels, labelValue),
    annotations: readAnnotations(issues, `${PATH}.annotations`, raw.annotations),
    generation: readInteger(issues, `${PATH}.generation`, raw.generation, { max: MAX_GENERATION }),
    creationTimestamp: readTime(issues, `${PATH}.creationTimestamp`, raw.creationTimestamp),
    deletionTimestamp: readTime(issues, `${PATH}.deletionTimestamp`, raw.deletionTimestamp),
    deletionGracePeriodSeconds: readInteger(
      issues,
      `${PATH}.deletionGracePeriodSeconds`,
      raw.deletionGracePeriodSeconds,
    ),
  });
  if (metadata.name === undefined || metadata.namespace === undefined) return undefined;
  const identity = { ...metadata, name: metadata.name, namespace: metadata.namespace };
  checkLength(issues, identity);
  return identity;
}

function readName(issues: Issues, path: string, { name: value, generateName }: RawObject): string | undefined {
  if (value === undefined || value === null || value === '')
    return void issues.required(path, generateName ? 'generateName makes no name here: the topic has it' : '');
  const name = readString(issues, path, value);
  const broken = name === undefined ? undefined : dnsSubdomain(name);
  if (broken !== undefined) issues.invalid(path, name, broken);
  return name;
}

function readNamespace(issues: Issues, path: string, value: unknown): string | undefined {
  const namespace = readString(issues, path, value);
  const broken = namespace === undefined ? undefined : dnsLabel(namespace);
  if (broken !== undefined) issues.invalid(path, namespace, broken);
  return namespace;
}

function checkLength(issues: Issues, { namespace, name }: ObjectMeta): void {
  if (namespace.length + name.length > LIMITS.identity)
    issues.invalid(
      `${PATH}.name`,
      name,
      `must be no more than ${LIMITS.identity} characters together with its namespace`,
    );
}

/** A map of qualified names to strings that satisfy `rule`; undefined when empty. */
function readMap(
  issues: Issues,
  path: string,
  value: unknown,
  rule: (text: string) => string | undefined,
): Record<string, string> | undefined {
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(readObject(issues, path, value) ?? {})) {
    const at = member(path, key);
    const brokenKey = qualifiedName(key);
    if (brokenKey !== undefined) issues.invalid(path, key, brokenKey);
    const text = item === null ? '' : readString(issues, at, item);
    const broken = text === undefined ? undefined : rule(text);
    if (broken !== undefined) issues.invalid(at, text, broken);
    if (text !== undefined) entries.push([key, text]);
  }
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function readAnnotations(issues: Issues, path: string, value: unknown): Record<string, string> | undefined {
  const annotations = readMap(issues, path, value, () => undefined);
  for (const key of Object.keys(annotations ?? {})) {
    const field = FORMER.find(([prefix]) => key.startsWith(prefix))?.[1];
    if (field !== undefined) issues.warn(member(path, key), `ignored: use securityContext.${field}`);
  }
  const size = Object.entries(annotations ?? {}).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  if (size > LIMITS.annotations) issues.error(path, `Too long: may not be more than ${LIMITS.annotations} bytes`);
  return annotations;
}

function readTime(issues: Issues, path: string, value: unknown): string | undefined {
  const text = readString(issues, path, value);
  if (text === undefined || (RFC3339.test(text) && !Number.isNaN(Date.parse(text)))) return text;
  issues.invalid(path, text, 'must be a time like 2026-01-31T12:00:00Z');
  return undefined;
}
