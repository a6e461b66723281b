/** Validates the data of ConfigMaps and Secrets: keys that can be file names, values of at most 1 MiB together. */
import { LIMITS } from '../limits.ts';
import { type Issues, member } from './issues.ts';
import { dataKey } from './names.ts';
import { readObject, readString } from './read.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Texts by key. */
export function readTexts(issues: Issues, path: string, value: unknown): Record<string, string> {
  return readData(issues, path, value, (at, item) => readString(issues, at, item));
}

/** Base64 by key, without the line breaks some tools write into it. */
export function readBase64(issues: Issues, path: string, value: unknown): Record<string, string> {
  return readData(issues, path, value, (at, item) => {
    const text = readString(issues, at, item)?.replace(/[\r\n]/g, '');
    if (text === undefined || (text.length % 4 === 0 && BASE64.test(text))) return text;
    // The value itself is not quoted: it may be a secret somebody forgot to encode.
    issues.error(
      at,
      'Invalid value: must be base64 (plain text goes into data of a ConfigMap, stringData of a Secret)',
    );
    return undefined;
  });
}

/** Bytes that base64 stands for. */
export function base64Size(text: string): number {
  return (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
}

/** Kubernetes' limit, on the values alone. */
export function checkDataSize(issues: Issues, path: string, bytes: number): void {
  if (bytes > LIMITS.data) issues.error(path, `Too long: ${bytes} bytes: may not be more than ${LIMITS.data} bytes`);
}

/** `null` is the empty value, as in Kubernetes. */
function readData(
  issues: Issues,
  path: string,
  value: unknown,
  read: (at: string, item: unknown) => string | undefined,
): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [key, item] of Object.entries(readObject(issues, path, value) ?? {})) {
    const at = member(path, key);
    const broken = dataKey(key);
    if (broken !== undefined) issues.invalid(at, key, broken);
    const text = item === null ? '' : read(at, item);
    if (text !== undefined) entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}
