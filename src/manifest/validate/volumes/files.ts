/** Volumes of files the agent writes: ConfigMaps, Secrets, what a pod is told of itself, and several of these in one. */
import { DEFAULT_FILE_MODE } from '../../defaults.ts';
import { LIMITS } from '../../limits.ts';
import type { ConfigMapSource, DownwardFile, KeyToPath, ProjectedSource, Volume } from '../../types/volumes.ts';
import { readFieldRef, readReference, readResourceFieldRef } from '../env-source.ts';
import { checkFields } from '../field-check.ts';
import type { Issues } from '../issues.ts';
import { dataKey } from '../names.ts';
import {
  present,
  readChoice,
  readInteger,
  readList,
  readNamed,
  readObject,
  readRequiredObject,
  relativePathRule,
} from '../read.ts';

const MOST_MODE = 0o777;
const PROJECTED = ['configMap', 'secret', 'downwardAPI'] as const;
const REFUSED = ['serviceAccountToken', 'clusterTrustBundle', 'podCertificate'];

export function readConfigMap(issues: Issues, path: string, value: unknown): Volume['configMap'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ConfigMapVolumeSource', raw, path);
  const reference = readReference(issues, path, raw);
  const items = readItems(issues, `${path}.items`, raw.items);
  return present({ ...reference, items, defaultMode: readDefaultMode(issues, path, raw.defaultMode) });
}

export function readSecret(issues: Issues, path: string, value: unknown): Volume['secret'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'SecretVolumeSource', raw, path);
  const { name, optional } = readReference(issues, path, raw, 'secretName');
  const items = readItems(issues, `${path}.items`, raw.items);
  return present({ secretName: name, items, optional, defaultMode: readDefaultMode(issues, path, raw.defaultMode) });
}

export function readDownward(issues: Issues, path: string, value: unknown): Volume['downwardAPI'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'DownwardAPIVolumeSource', raw, path);
  const items = readDownwardFiles(issues, `${path}.items`, raw.items);
  return { items, defaultMode: readDefaultMode(issues, path, raw.defaultMode) };
}

export function readProjected(issues: Issues, path: string, value: unknown): Volume['projected'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ProjectedVolumeSource', raw, path);
  const taken = new Set<string>();
  const sources = readList(issues, `${path}.sources`, raw.sources, LIMITS.items).flatMap((item, i) => {
    const at = `${path}.sources[${i}]`;
    const source = readProjectedSource(issues, at, item);
    if (source !== undefined) checkPaths(issues, at, source, taken);
    return source ?? [];
  });
  return { sources, defaultMode: readDefaultMode(issues, path, raw.defaultMode) };
}

function readProjectedSource(issues: Issues, path: string, item: unknown): ProjectedSource | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'VolumeProjection', raw, path);
  if (REFUSED.some((name) => raw[name] !== undefined && raw[name] !== null)) return undefined;
  const kind = readChoice(issues, path, raw, PROJECTED);
  if (kind === undefined) return undefined;
  const at = `${path}.${kind}`;
  const source = readObject(issues, at, raw[kind]);
  if (source === undefined) return undefined;
  if (kind === 'downwardAPI') {
    checkFields(issues, 'DownwardAPIProjection', source, at);
    return { downwardAPI: { items: readDownwardFiles(issues, `${at}.items`, source.items) } };
  }
  checkFields(issues, kind === 'configMap' ? 'ConfigMapProjection' : 'SecretProjection', source, at);
  const reference = readReference(issues, at, source);
  const items = readItems(issues, `${at}.items`, source.items);
  const projection: ConfigMapSource = present({ ...reference, items });
  return kind === 'configMap' ? { configMap: projection } : { secret: projection };
}

/** Two sources cannot write one file. */
function checkPaths(issues: Issues, path: string, source: ProjectedSource, taken: Set<string>): void {
  for (const [kind, { items = [] }] of Object.entries(source) as [string, { items?: { path: string }[] }][])
    for (const [i, item] of items.entries()) {
      if (item.path !== '' && taken.has(item.path)) issues.duplicate(`${path}.${kind}.items[${i}].path`, item.path);
      taken.add(item.path);
    }
}

/** Undefined, every key, when absent or empty. */
function readItems(issues: Issues, path: string, value: unknown): KeyToPath[] | undefined {
  const items = readList(issues, path, value, LIMITS.items).map((item, i): KeyToPath => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return { key: '', path: '' };
    checkFields(issues, 'KeyToPath', raw, at);
    return present({
      key: readNamed(issues, `${at}.key`, raw.key, dataKey) ?? '',
      path: readFilePath(issues, `${at}.path`, raw.path),
      mode: readMode(issues, `${at}.mode`, raw.mode),
    });
  });
  return items.length > 0 ? items : undefined;
}

function readDownwardFiles(issues: Issues, path: string, value: unknown): DownwardFile[] {
  const taken = new Set<string>();
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'DownwardAPIVolumeFile', raw, at);
    const file = readFilePath(issues, `${at}.path`, raw.path);
    if (file !== '' && taken.has(file)) issues.duplicate(`${at}.path`, file);
    taken.add(file);
    const kind = readChoice(issues, at, raw, ['fieldRef', 'resourceFieldRef'] as const);
    return [
      present({
        path: file,
        fieldRef: kind === 'fieldRef' ? readFieldRef(issues, `${at}.fieldRef`, raw.fieldRef, 'volume') : undefined,
        resourceFieldRef:
          kind === 'resourceFieldRef'
            ? readResourceFieldRef(issues, `${at}.resourceFieldRef`, raw.resourceFieldRef, 'volume')
            : undefined,
        mode: readMode(issues, `${at}.mode`, raw.mode),
      }),
    ];
  });
}

/** Relative, and not a name the swap of the whole directory needs for itself. */
function readFilePath(issues: Issues, path: string, value: unknown): string {
  const rule = (text: string) =>
    relativePathRule(text) ?? (text.startsWith('..') ? "must not start with '..'" : undefined);
  return readNamed(issues, path, value, rule) ?? '';
}

function readDefaultMode(issues: Issues, parent: string, value: unknown): number {
  return readMode(issues, `${parent}.defaultMode`, value) ?? DEFAULT_FILE_MODE;
}

function readMode(issues: Issues, path: string, value: unknown): number | undefined {
  const mode = readInteger(issues, path, value, { max: Number.MAX_SAFE_INTEGER });
  if (mode === undefined || mode <= MOST_MODE) return mode;
  issues.invalid(path, mode, 'must be a number between 0 and 0777 (octal; in JSON, 0 to 511)');
  return undefined;
}
