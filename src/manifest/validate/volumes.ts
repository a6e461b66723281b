/** Validates `volumes`. */
import { FIELDS } from '../fields.ts';
import { LIMITS } from '../limits.ts';
import type { HostPathType, Volume } from '../types.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { dnsLabel } from './names.ts';
import {
  present,
  type RawObject,
  readAbsolutePath,
  readList,
  readObject,
  readOneOf,
  readString,
  unlessBlank,
} from './read.ts';
import { readBytes } from './resources.ts';

const SOURCES = Object.keys(FIELDS.Volume).filter((name) => name !== 'name');
const HOST_PATH_TYPES = [
  '',
  'DirectoryOrCreate',
  'Directory',
  'FileOrCreate',
  'File',
  'Socket',
  'CharDevice',
  'BlockDevice',
] as const satisfies readonly HostPathType[];

export function readVolumes(issues: Issues, path: string, value: unknown): Volume[] {
  const names = new Set<string>();
  const volumes: Volume[] = [];
  for (const [i, item] of readList(issues, path, value, LIMITS.volumes).entries()) {
    const volume = readVolume(issues, `${path}[${i}]`, item);
    if (volume === undefined) continue;
    if (names.has(volume.name)) issues.duplicate(`${path}[${i}].name`, volume.name);
    names.add(volume.name);
    volumes.push(volume);
  }
  return volumes;
}

/** The name under `path`: a DNS label, required. */
export function readLabelName(issues: Issues, path: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return void issues.required(path);
  const name = readString(issues, path, value);
  const broken = name === undefined ? undefined : dnsLabel(name);
  if (broken !== undefined) issues.invalid(path, name, broken);
  return name;
}

function readVolume(issues: Issues, path: string, item: unknown): Volume | undefined {
  const raw = readObject(issues, path, item);
  if (raw === undefined) {
    if (item === null || item === undefined) issues.required(path);
    return undefined;
  }
  checkFields(issues, 'Volume', raw, path);
  const name = readLabelName(issues, `${path}.name`, raw.name);
  const given = SOURCES.filter(
    (source) => Object.hasOwn(raw, source) && raw[source] !== null && raw[source] !== undefined,
  );
  for (const source of given.slice(1))
    issues.error(`${path}.${source}`, `Forbidden: may not specify more than 1 volume type (there is ${given[0]})`);
  const source = present({
    emptyDir: given.includes('emptyDir') ? readEmptyDir(issues, `${path}.emptyDir`, raw.emptyDir) : undefined,
    hostPath: given.includes('hostPath') ? readHostPath(issues, `${path}.hostPath`, raw.hostPath) : undefined,
  });
  if (name === undefined) return undefined;
  return { name, ...(given.length === 0 ? { emptyDir: {} } : source) };
}

function readEmptyDir(issues: Issues, path: string, value: unknown): Volume['emptyDir'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'EmptyDirVolumeSource', raw, path);
  return present({
    medium: readOneOf(issues, `${path}.medium`, unlessBlank(raw.medium), ['', 'Memory'] as const),
    sizeLimit: readBytes(issues, `${path}.sizeLimit`, raw.sizeLimit),
  });
}

function readHostPath(issues: Issues, path: string, value: unknown): Volume['hostPath'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'HostPathVolumeSource', raw, path);
  return { path: readPath(issues, `${path}.path`, raw) ?? '', type: readType(issues, `${path}.type`, raw) ?? '' };
}

function readPath(issues: Issues, path: string, raw: RawObject): string | undefined {
  if (raw.path === undefined || raw.path === null || raw.path === '') return void issues.required(path);
  return readAbsolutePath(issues, path, raw.path);
}

function readType(issues: Issues, path: string, raw: RawObject): HostPathType | undefined {
  return readOneOf(issues, path, raw.type, HOST_PATH_TYPES);
}
