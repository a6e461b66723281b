/** Validates `volumeMounts`. */
import { posix } from 'node:path';
import { LIMITS } from '../limits.ts';
import type { VolumeMount } from '../types/container.ts';
import type { Volume } from '../types/volumes.ts';
import { checkFields } from './field-check.ts';
import { type Issues, show } from './issues.ts';
import {
  present,
  type RawObject,
  readAbsolutePath,
  readBoolean,
  readList,
  readOneOf,
  readOptionalNamed,
  readRequiredObject,
  readRequiredString,
  relativePathRule,
  unlessBlank,
} from './read.ts';

const PROPAGATION = ['None', 'HostToContainer', 'Bidirectional'] as const;
const RECURSIVE = ['Disabled', 'IfPossible', 'Enabled'] as const;

/** What the mounts of a container refer to. */
export interface MountContext {
  volumes: ReadonlyMap<string, Volume>;
  privileged: boolean;
}

export function readMounts(issues: Issues, path: string, value: unknown, context: MountContext): VolumeMount[] {
  const places = new Set<string>();
  const mounts: VolumeMount[] = [];
  for (const [i, item] of readList(issues, path, value, LIMITS.volumeMounts).entries()) {
    const mount = readMount(issues, `${path}[${i}]`, item, context);
    if (mount === undefined) continue;
    const place = normal(mount.mountPath);
    if (places.has(place)) issues.duplicate(`${path}[${i}].mountPath`, mount.mountPath);
    places.add(place);
    mounts.push(mount);
  }
  return mounts;
}

function readMount(issues: Issues, path: string, item: unknown, context: MountContext): VolumeMount | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'VolumeMount', raw, path);
  const name = readRequiredString(issues, `${path}.name`, raw.name);
  if (name !== undefined && !context.volumes.has(name))
    issues.error(`${path}.name`, `Not found: ${show(name)}: there is no such volume in spec.volumes`);
  const mountPath = readMountPath(issues, `${path}.mountPath`, raw);
  const mount = {
    readOnly: readBoolean(issues, `${path}.readOnly`, raw.readOnly) ?? false,
    ...readSubPaths(issues, path, raw),
    recursiveReadOnly:
      readOneOf(issues, `${path}.recursiveReadOnly`, unlessBlank(raw.recursiveReadOnly), RECURSIVE) ?? 'Disabled',
    mountPropagation:
      readOneOf(issues, `${path}.mountPropagation`, unlessBlank(raw.mountPropagation), PROPAGATION) ?? 'None',
  };
  checkPropagation(issues, path, mount, context.privileged);
  if (name === undefined || mountPath === undefined) return undefined;
  return { name, mountPath, ...mount };
}

/** What goes out to the device needs its trust; what is read-only all the way down lets nothing in or out. */
function checkPropagation(
  issues: Issues,
  path: string,
  mount: Pick<VolumeMount, 'readOnly' | 'recursiveReadOnly' | 'mountPropagation'>,
  privileged: boolean,
): void {
  const { readOnly, recursiveReadOnly, mountPropagation } = mount;
  if (mountPropagation === 'Bidirectional') {
    const at = `${path}.mountPropagation`;
    if (!privileged)
      issues.error(at, 'Forbidden: Bidirectional mount propagation is available only to privileged containers');
    if (readOnly) issues.invalid(at, mountPropagation, 'must not be Bidirectional when readOnly is true');
  }
  if (recursiveReadOnly === 'Disabled') return;
  const at = `${path}.recursiveReadOnly`;
  if (!readOnly) issues.error(at, 'Forbidden: may only be specified when readOnly is true');
  if (mountPropagation !== 'None')
    issues.error(at, 'Forbidden: may only be specified when mountPropagation is None or not specified');
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

function readSubPaths(issues: Issues, path: string, raw: RawObject): Pick<VolumeMount, 'subPath' | 'subPathExpr'> {
  const subPath = readOptionalNamed(issues, `${path}.subPath`, raw.subPath, relativePathRule);
  const subPathExpr = readOptionalNamed(issues, `${path}.subPathExpr`, raw.subPathExpr, relativePathRule);
  if (subPath !== undefined && subPathExpr !== undefined)
    issues.invalid(`${path}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive');
  return present({ subPath, subPathExpr });
}

function normal(path: string): string {
  return posix
    .normalize(path)
    .replace(/^\/+/, '/')
    .replace(/(.)\/$/, '$1');
}
