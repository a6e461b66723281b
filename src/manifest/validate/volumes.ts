/** Validates `volumes`. */
import { FIELDS } from '../fields.ts';
import { LIMITS } from '../limits.ts';
import type { Volume } from '../types/volumes.ts';
import { ACCOUNT_VOLUME, isAccountVolume } from './account-volume.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { dnsLabel } from './names.ts';
import { present, type RawObject, readList, readNamed, readRequiredObject } from './read.ts';
import { readConfigMap, readDownward, readProjected, readSecret } from './volumes/files.ts';
import { readEmptyDir, readHostPath, readImage } from './volumes/places.ts';

const SOURCES = Object.keys(FIELDS.Volume).filter((name) => name !== 'name');

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

function readVolume(issues: Issues, path: string, item: unknown): Volume | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'Volume', raw, path);
  const name = readNamed(issues, `${path}.name`, raw.name, dnsLabel);
  const given = SOURCES.filter(
    (source) => Object.hasOwn(raw, source) && raw[source] !== null && raw[source] !== undefined,
  );
  for (const source of given.slice(1))
    issues.error(`${path}.${source}`, `Forbidden: may not specify more than 1 volume type (there is ${given[0]})`);
  if (given.length === 1 && isAccountVolume(raw)) {
    issues.warn(path, ACCOUNT_VOLUME);
    return { name: raw.name as string, emptyDir: {} };
  }
  const source = readSource(issues, path, raw);
  // A name that is wrong still stands for the volume, so that its mounts are not wrong too.
  const label = name ?? (typeof raw.name === 'string' ? raw.name : undefined);
  if (label === undefined) return undefined;
  return { name: label, ...(given.length === 0 ? { emptyDir: {} } : source) };
}

function readSource(issues: Issues, path: string, raw: RawObject): Omit<Volume, 'name'> {
  return present({
    emptyDir: readEmptyDir(issues, `${path}.emptyDir`, raw.emptyDir),
    hostPath: readHostPath(issues, `${path}.hostPath`, raw.hostPath),
    configMap: readConfigMap(issues, `${path}.configMap`, raw.configMap),
    secret: readSecret(issues, `${path}.secret`, raw.secret),
    downwardAPI: readDownward(issues, `${path}.downwardAPI`, raw.downwardAPI),
    projected: readProjected(issues, `${path}.projected`, raw.projected),
    image: readImage(issues, `${path}.image`, raw.image),
  });
}
