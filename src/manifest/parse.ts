/** From the bytes of a message or file to plain objects: JSON or YAML, one or several, bounded in every direction. */
import { LIMITS } from './limits.ts';
import { parseJson } from './parse/json.ts';
import { ParseError } from './parse/parse-error.ts';
import { parseYaml } from './parse/yaml.ts';
import type { FieldError } from './types/field-error.ts';
import { isObject } from './validate/read.ts';

export type Parsed = { objects: unknown[] } | { errors: FieldError[] };

const LIST_KINDS: ReadonlySet<unknown> = new Set(['List', 'PodList']);
/** JSON, unless the first key is not in quotes: then it is YAML's flow style. */
const JSON_START = /^\s*(\{\s*["}]|\[)/;
/** What parts documents. No line within JSON can begin so. */
const DOCUMENT_MARK = /^---/m;

/**
 * Reads strict UTF-8; `kind: List` is replaced by its items. Every error has the place in the text, and the path where
 * that is known. Synchronous, because the MQTT inbox must decide before it acknowledges. Never throws.
 * @param maxBytes of the whole text; at most 1 MiB whatever is given
 */
export function parseManifestSync(
  bytes: Uint8Array,
  { maxBytes = LIMITS.manifestBytes }: { maxBytes?: number } = {},
): Parsed {
  const most = Math.min(maxBytes, LIMITS.hardManifestBytes);
  try {
    if (bytes.length > most)
      throw new ParseError('', `Too long: ${bytes.length} bytes: may not be more than ${most} bytes`);
    const objects = readValues(decode(bytes), most).flatMap((value, i, all) =>
      flatten(value, all.length > 1 ? `[${i}]` : ''),
    );
    return objects.length > 0
      ? { objects }
      : { errors: [{ path: '', reason: 'Required value: the manifest is empty' }] };
  } catch (error) {
    if (error instanceof ParseError) return { errors: [{ path: error.path, reason: error.message }] };
    throw error;
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ParseError('', 'not valid UTF-8');
  }
}

function readValues(text: string, maxBytes: number): unknown[] {
  if (JSON_START.test(text) && !DOCUMENT_MARK.test(text)) return [parseJson(text, LIMITS.nesting)];
  return parseYaml(text, {
    nesting: LIMITS.nesting,
    aliases: LIMITS.aliases,
    tokens: LIMITS.yamlTokens,
    expanded: maxBytes,
  });
}

/** Lists inside lists are bounded by the nesting limit. */
function flatten(value: unknown, path: string): unknown[] {
  if (!isObject(value) || !LIST_KINDS.has(value.kind)) return [value];
  if (value.apiVersion !== 'v1')
    throw new ParseError(`${path}apiVersion`, `Invalid value: a ${String(value.kind)} must have apiVersion "v1"`);
  const { items = [] } = value;
  if (!Array.isArray(items)) throw new ParseError(`${path}items`, 'Invalid value: must be a list');
  return items.flatMap((item, i) => flatten(item, `${path}items[${i}].`));
}
