/** How files of settings are written: YAML, in which every plain value is the text that stands there. */
import type { DocumentOptions, ParseOptions, SchemaOptions, ToJSOptions } from 'yaml';

/**
 * Options for the `yaml` package. YAML's own types would make 123 of the password 0123 and 1 of the id 1.0; each setting
 * reads its text by itself (setting-values.ts). No value at all, `~` and `null` stay null: not set.
 */
export const SETTING_SYNTAX: ParseOptions & DocumentOptions & SchemaOptions & ToJSOptions = {
  schema: 'failsafe',
  customTags: ['null'],
  maxAliasCount: 0,
  uniqueKeys: true,
};

/** The text of a parsed value, a list's with commas; undefined for what is neither. */
export function settingText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  return undefined;
}
