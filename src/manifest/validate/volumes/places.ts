/** Volumes that are a place: an empty directory, something of the device, an image. */
import { defaultPullPolicy } from '../../defaults.ts';
import type { HostPathType, Volume } from '../../types/volumes.ts';
import { checkFields } from '../field-check.ts';
import { readImageReference, readPullPolicy } from '../image.ts';
import type { Issues } from '../issues.ts';
import { present, type RawObject, readAbsolutePath, readObject, readOneOf, unlessBlank } from '../read.ts';
import { readBytes } from '../resources.ts';

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

export function readEmptyDir(issues: Issues, path: string, value: unknown): Volume['emptyDir'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'EmptyDirVolumeSource', raw, path);
  return present({
    medium: readOneOf(issues, `${path}.medium`, unlessBlank(raw.medium), ['', 'Memory'] as const),
    sizeLimit: readBytes(issues, `${path}.sizeLimit`, raw.sizeLimit),
  });
}

export function readHostPath(issues: Issues, path: string, value: unknown): Volume['hostPath'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'HostPathVolumeSource', raw, path);
  return {
    path: readPath(issues, `${path}.path`, raw) ?? '',
    type: readOneOf(issues, `${path}.type`, raw.type, HOST_PATH_TYPES) ?? '',
  };
}

export function readImage(issues: Issues, path: string, value: unknown): Volume['image'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ImageVolumeSource', raw, path);
  const reference = readImageReference(issues, `${path}.reference`, raw.reference) ?? '';
  const pullPolicy = readPullPolicy(issues, `${path}.pullPolicy`, raw.pullPolicy) ?? defaultPullPolicy(reference);
  return { reference, pullPolicy };
}

function readPath(issues: Issues, path: string, raw: RawObject): string | undefined {
  if (raw.path === undefined || raw.path === null || raw.path === '') return void issues.required(path);
  return readAbsolutePath(issues, path, raw.path);
}
