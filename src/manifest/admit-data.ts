/** The gate for ConfigMaps and Secrets: from any JSON value to the object with its defaults, or the reasons why not. */
import { type AdmitOptions, isKind } from './admit.ts';
import type { FieldError } from './types/field-error.ts';
import type { ConfigMap, Secret } from './types/objects.ts';
import { base64Size, checkDataSize, readBase64, readTexts } from './validate/data.ts';
import { checkFields } from './validate/field-check.ts';
import { Issues, member } from './validate/issues.ts';
import { readMetadata } from './validate/metadata.ts';
import { readBoolean, readString, unlessBlank } from './validate/read.ts';
import { checkSecretType } from './validate/secret-type.ts';

export type DataAdmission<T> = { object: T; warnings: FieldError[] } | { errors: FieldError[] };

const DEFAULT_TYPE = 'Opaque';

/** Validates a ConfigMap. All errors are found, not only the first (64 at most). Never throws. */
export function admitConfigMap(raw: unknown, { namespace }: AdmitOptions = {}): DataAdmission<ConfigMap> {
  const issues = new Issues();
  if (!isKind(issues, raw, 'ConfigMap')) return { errors: issues.errors };
  checkFields(issues, 'ConfigMap', raw, '');
  const metadata = readMetadata(issues, raw.metadata, namespace);
  const data = readTexts(issues, 'data', raw.data);
  const binaryData = readBase64(issues, 'binaryData', raw.binaryData);
  for (const key of Object.keys(binaryData).filter((key) => Object.hasOwn(data, key)))
    issues.invalid(member('binaryData', key), key, 'must not be a key of data too');
  checkDataSize(issues, 'data', textBytes(data) + base64Bytes(binaryData));
  const immutable = readBoolean(issues, 'immutable', raw.immutable) ?? false;
  if (issues.errors.length > 0 || metadata === undefined) return { errors: issues.errors };
  const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data, binaryData, immutable };
  return { object, warnings: issues.warnings };
}

/** Validates a Secret; `stringData` is in `data` afterwards. Reasons never quote a value. Never throws. */
export function admitSecret(raw: unknown, { namespace }: AdmitOptions = {}): DataAdmission<Secret> {
  const issues = new Issues();
  if (!isKind(issues, raw, 'Secret')) return { errors: issues.errors };
  checkFields(issues, 'Secret', raw, '');
  const metadata = readMetadata(issues, raw.metadata, namespace);
  const texts = Object.entries(readTexts(issues, 'stringData', raw.stringData));
  const data = {
    ...readBase64(issues, 'data', raw.data),
    ...Object.fromEntries(texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  };
  checkDataSize(issues, 'data', base64Bytes(data));
  const type = readString(issues, 'type', unlessBlank(raw.type)) ?? DEFAULT_TYPE;
  const immutable = readBoolean(issues, 'immutable', raw.immutable) ?? false;
  if (issues.errors.length > 0 || metadata === undefined) return { errors: issues.errors };
  const object: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, type, data, immutable };
  checkSecretType(issues, object);
  return issues.errors.length > 0 ? { errors: issues.errors } : { object, warnings: issues.warnings };
}

function textBytes(data: Record<string, string>): number {
  return Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function base64Bytes(data: Record<string, string>): number {
  return Object.values(data).reduce((sum, text) => sum + base64Size(text), 0);
}
