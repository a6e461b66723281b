/** Validates `volumeMounts`. */
import { posix } from 'node:path';
import { LIMITS } from '../limits.ts';
import type { VolumeMount } from '../types.ts';
import { checkFields } from './field-check.ts';
import { type Issues, show } from './issues.ts';
import {
  pathRule,
  present,
  type RawObject,
  readAbsolutePath,
  readBoolean,
  readList,
  readObject,
  readString,
} from './read.ts';

/** Fields that cannot be set yet, as they are when absent. */
const UNREAD = { recursiveReadOnly: 'Disabled', mountPropagation: 'None' } as const;

/** @param volumes names of the pod's volumes */
export function readMounts(issues: Issues, path: string, value: unknown, volumes: ReadonlySet<string>): VolumeMount[] {
  const places = new Set<string>();
  const mounts: VolumeMount[] = [];
  for (const [i, item] of readList(issues, path, value, LIMITS.volumeMounts).entries()) {
    const mount = readMount(issues, `${path}[${i}]`, item, volumes);
    if (mount === undefined) continue;
    const place = normal(mount.mountPath);
    if (places.has(place)) issues.duplicate(`${path}[${i}].mountPath`, mount.mountPath);
    places.add(place);
    mounts.push(mount);
  }
  return mounts;
}

function readMount(issues: Issues, path: string, item: unknown, volumes: ReadonlySet<string>): VolumeMount | undefined {
  const raw = readObject(issues, path, item);
  if (raw === undefined) {
    if (item === null || item === undefined) issues.required(path);
    return undefined;
  }
  checkFields(issues, 'VolumeMount', raw, path);
  const name = readVolumeName(issues, `${path}.name`, raw.name, volumes);
  const mountPath = readMountPath(issues, `${path}.mountPath`, raw);
  const readOnly = readBoolean(issues, `${path}.readOnly`, raw.readOnly) ?? false;
  const subPath = readSubPath(issues, `${path}.subPath`, raw);
  if (name === undefined || mountPath === undefined) return undefined;
  return present({ ...UNREAD, name, mountPath, readOnly, subPath });
}

function readVolumeName(
  issues: Issues,
  path: string,
  value: unknown,
  volumes: ReadonlySet<string>,
): string | undefined {
  if (value === undefined || value === null || value === '') return void issues.required(path);
  const name = readString(issues, path, value);
  if (name !== undefined && !volumes.has(name))
    issues.error(path, `Not found: ${show(name)}: there is no such volume in spec.volumes`);
  return name;
}

function readMountPath(issues: Issues, path: string, raw: RawObject): string | undefined {
  if (raw.mountPath === undefined || raw.mountPath === null || raw.mountPath === '') return void issues.required(path);
  const mountPath = readAbsolutePath(issues, path, raw.mountPath);
  if (mountPath === undefined) return undefined;
  const place = normal(mountPath);
  if (place === '/') issues.invalid(path, mountPath, 'must not be the root of the container');
  // The runner writes security settings through /proc: a volume there could take them (CVE-2019-16884).
  else if (place === '/proc' || place.startsWith('/proc/')) issues.invalid(path, mountPath, 'must not be in /proc');
  return mountPath;
}

function readSubPath(issues: Issues, path: string, raw: RawObject): string | undefined {
  const subPath = readString(issues, path, raw.subPath);
  if (subPath === undefined || subPath === '') return undefined;
  const broken = subPath.startsWith('/') ? 'must be a relative path' : pathRule(subPath);
  if (broken !== undefined) issues.invalid(path, subPath, broken);
  return subPath;
}

function normal(path: string): string {
  return posix
    .normalize(path)
    .replace(/^\/+/, '/')
    .replace(/(.)\/$/, '$1');
}
