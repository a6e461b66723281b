/** What is in a configMap, secret, downwardAPI or projected volume. Pure. */
import { fieldValue, type PodFacts, resourceValue } from '../../manifest/downward.ts';
import type { NamespaceObjects } from '../../manifest/env-sources.ts';
import type { ConfigMap, Secret } from '../../manifest/types/objects.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type {
  ConfigMapSource,
  DownwardFile,
  KeyToPath,
  ProjectedSource,
  Volume,
} from '../../manifest/types/volumes.ts';
import { SetUpError } from './mount-error.ts';

export interface PayloadFile {
  data: Uint8Array;
  mode: number;
}

/** Relative path → file. */
export type Payload = Map<string, PayloadFile>;

export interface PayloadInput {
  pod: Pod;
  objects: NamespaceObjects;
  facts: PodFacts;
}

/** Whether a volume's files are the agent's own: made from objects, read-only in every container, kept up to date. */
export const isDataVolume = ({ configMap, secret, downwardAPI, projected }: Volume): boolean =>
  (configMap ?? secret ?? downwardAPI ?? projected) !== undefined;

/** Throws SetUpError for an object or key that is missing and not optional. */
export const volumePayload = (volume: Volume, input: PayloadInput): Payload => {
  const { name, configMap, secret, downwardAPI, projected } = volume;
  const files: Payload = new Map();
  const defaultMode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? 0o644;
  const into = { files, volume: name, defaultMode, input };
  if (configMap) addSource(into, { configMap });
  if (secret) addSource(into, { secret: { ...secret, name: secret.secretName } });
  if (downwardAPI) addSource(into, { downwardAPI });
  for (const source of projected?.sources ?? []) addSource(into, source);
  return files;
};

interface Target {
  files: Payload;
  volume: string;
  defaultMode: number;
  input: PayloadInput;
}

const addSource = (into: Target, { configMap, secret, downwardAPI }: ProjectedSource): void => {
  const { objects } = into.input;
  if (configMap)
    addKeys(into, configMap, { kind: 'configmap', key: 'config', data: bytesOf(objects.configMap(configMap.name)) });
  if (secret) addKeys(into, secret, { kind: 'secret', key: 'secret', data: bytesOf(objects.secret(secret.name)) });
  for (const item of downwardAPI?.items ?? []) {
    into.files.set(item.path, { data: Buffer.from(downward(item, into.input)), mode: item.mode ?? into.defaultMode });
  }
};

interface Found {
  kind: string;
  /** What the kubelet calls its keys. */
  key: string;
  data: Record<string, Uint8Array> | undefined;
}

const addKeys = (
  { files, volume, defaultMode }: Target,
  { name, items, optional }: ConfigMapSource,
  { kind, key: keyKind, data }: Found,
): void => {
  if (data === undefined) {
    if (optional) return;
    throw new SetUpError(volume, `${kind} "${name}" not found`);
  }
  const wanted: KeyToPath[] = items ?? Object.keys(data).map((key) => ({ key, path: key }));
  for (const { key, path, mode } of wanted) {
    if (Object.hasOwn(data, key)) files.set(path, { data: data[key] as Uint8Array, mode: mode ?? defaultMode });
    else if (!optional)
      throw new SetUpError(volume, `${kind} "${name}" references non-existent ${keyKind} key: ${key}`);
  }
};

const bytesOf = (object: ConfigMap | Secret | undefined): Record<string, Uint8Array> | undefined => {
  if (object === undefined) return undefined;
  const base64 = Object.entries(object.kind === 'Secret' ? object.data : object.binaryData);
  const texts = Object.entries(object.kind === 'Secret' ? {} : object.data);
  return Object.fromEntries([
    ...texts.map(([key, text]) => [key, Buffer.from(text)] as const),
    ...base64.map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
  ]);
};

const downward = ({ fieldRef, resourceFieldRef }: DownwardFile, { pod, facts }: PayloadInput): string => {
  if (fieldRef) return fieldValue(pod, fieldRef, facts);
  return resourceFieldRef ? resourceValue(pod, resourceFieldRef, { facts }) : '';
};
