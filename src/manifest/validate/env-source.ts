/** Validates where a variable's value, or a whole environment, comes from. */
import { DEFAULT_DIVISOR } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import { parseNano } from '../quantity.ts';
import type { EnvFromSource, EnvVarSource, FieldRef, FileKeyRef, KeyRef, ResourceFieldRef } from '../types/env.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { dataKey, dnsSubdomain, qualifiedName, variableName } from './names.ts';
import {
  present,
  type RawObject,
  readBoolean,
  readChoice,
  readList,
  readNamed,
  readObject,
  readOneOf,
  readOptionalNamed,
  readRequiredObject,
  readRequiredString,
  relativePathRule,
} from './read.ts';
import { readQuantity } from './resources.ts';

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const;

/** What a variable can be told of its pod; besides, one label or annotation. */
const ENV_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** What a file can be told; besides, one label or annotation. */
const VOLUME_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.labels',
  'metadata.annotations',
  'metadata.uid',
];
const RESOURCES: readonly string[] = ['limits', 'requests'].flatMap((list) =>
  ['cpu', 'memory', 'ephemeral-storage'].map((name) => `${list}.${name}`),
);
const CPU_DIVISORS = ['1m', '1'];
const BYTE_DIVISORS = ['1', ...['k', 'M', 'G', 'T', 'P', 'E'].flatMap((s) => [`1${s}`, `1${s.toUpperCase()}i`])];

export function readValueFrom(issues: Issues, path: string, value: unknown): EnvVarSource | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'EnvVarSource', raw, path);
  const kind = readChoice(issues, path, raw, SOURCES);
  if (kind === undefined) return undefined;
  const at = `${path}.${kind}`;
  switch (kind) {
    case 'fieldRef':
      return present({ fieldRef: readFieldRef(issues, at, raw.fieldRef, 'env') });
    case 'resourceFieldRef':
      return present({ resourceFieldRef: readResourceFieldRef(issues, at, raw.resourceFieldRef, 'env') });
    case 'configMapKeyRef':
      return present({ configMapKeyRef: readKeyRef(issues, at, raw.configMapKeyRef, 'ConfigMapKeySelector') });
    case 'secretKeyRef':
      return present({ secretKeyRef: readKeyRef(issues, at, raw.secretKeyRef, 'SecretKeySelector') });
    case 'fileKeyRef':
      return present({ fileKeyRef: readFileKeyRef(issues, at, raw.fileKeyRef) });
  }
}

export function readEnvFrom(issues: Issues, path: string, value: unknown): EnvFromSource[] {
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'EnvFromSource', raw, at);
    const prefix = readOptionalNamed(issues, `${at}.prefix`, raw.prefix, variableName) ?? '';
    const kind = readChoice(issues, at, raw, ['configMapRef', 'secretRef'] as const);
    if (kind === undefined) return [];
    const type = kind === 'configMapRef' ? 'ConfigMapEnvSource' : 'SecretEnvSource';
    const source = readObject(issues, `${at}.${kind}`, raw[kind]);
    if (source === undefined) return [];
    checkFields(issues, type, source, `${at}.${kind}`);
    return [{ prefix, [kind]: readReference(issues, `${at}.${kind}`, source) }];
  });
}

/** The object something is taken from, and whether it may be missing. */
export function readReference(
  issues: Issues,
  path: string,
  raw: RawObject,
  nameField = 'name',
): { name: string; optional: boolean } {
  return {
    name: readNamed(issues, `${path}.${nameField}`, raw[nameField], dnsSubdomain) ?? '',
    optional: readBoolean(issues, `${path}.optional`, raw.optional) ?? false,
  };
}

export function readFieldRef(
  issues: Issues,
  path: string,
  value: unknown,
  use: 'env' | 'volume',
): FieldRef | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ObjectFieldSelector', raw, path);
  const at = `${path}.fieldPath`;
  const fieldPath = readRequiredString(issues, at, raw.fieldPath);
  if (fieldPath === undefined) return undefined;
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(fieldPath) ?? [];
  const known = use === 'env' ? ENV_FIELDS : VOLUME_FIELDS;
  if (key !== undefined) {
    const broken = qualifiedName(map === 'annotations' ? key.toLowerCase() : key);
    if (broken !== undefined) issues.invalid(at, fieldPath, `the key ${broken}`);
  } else if (!known.includes(fieldPath))
    issues.unsupported(at, fieldPath, [...known, "metadata.labels['<KEY>']", "metadata.annotations['<KEY>']"]);
  return { fieldPath };
}

export function readResourceFieldRef(
  issues: Issues,
  path: string,
  value: unknown,
  use: 'env' | 'volume',
): ResourceFieldRef | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ResourceFieldSelector', raw, path);
  const resource = readRequiredString(issues, `${path}.resource`, raw.resource);
  if (resource !== undefined) readOneOf(issues, `${path}.resource`, resource, RESOURCES);
  const containerName =
    use === 'volume'
      ? readRequiredString(issues, `${path}.containerName`, raw.containerName)
      : readOptionalNamed(issues, `${path}.containerName`, raw.containerName, () => undefined);
  const divisor = readDivisor(issues, `${path}.divisor`, raw.divisor, resource ?? '');
  return resource === undefined ? undefined : present({ containerName, resource, divisor });
}

function readKeyRef(
  issues: Issues,
  path: string,
  value: unknown,
  type: 'ConfigMapKeySelector' | 'SecretKeySelector',
): KeyRef | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, type, raw, path);
  const { name, optional } = readReference(issues, path, raw);
  return { name, key: readNamed(issues, `${path}.key`, raw.key, dataKey) ?? '', optional };
}

/** Whether the volume is an emptyDir is seen once all of the pod is known. */
function readFileKeyRef(issues: Issues, path: string, value: unknown): FileKeyRef | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'FileKeySelector', raw, path);
  return {
    volumeName: readRequiredString(issues, `${path}.volumeName`, raw.volumeName) ?? '',
    path: readNamed(issues, `${path}.path`, raw.path, relativePathRule) ?? '',
    key: readNamed(issues, `${path}.key`, raw.key, variableName) ?? '',
    optional: readBoolean(issues, `${path}.optional`, raw.optional) ?? false,
  };
}

/** 0 is as good as absent: what `kubectl --dry-run` prints for it. */
function readDivisor(issues: Issues, path: string, value: unknown, resource: string): string {
  const text = readQuantity(issues, path, value);
  if (text === undefined || parseNano(text) === 0n) return DEFAULT_DIVISOR;
  const possible = resource.endsWith('.cpu') ? CPU_DIVISORS : BYTE_DIVISORS;
  const found = possible.find((divisor) => parseNano(divisor) === parseNano(text));
  if (found === undefined) issues.unsupported(path, text, possible);
  return found ?? DEFAULT_DIVISOR;
}
