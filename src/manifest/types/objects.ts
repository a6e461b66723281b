/** The objects that pods take data from. */
import type { ObjectMeta } from './metadata.ts';

/** A ConfigMap as the pods read it: every value as bytes, `data` and `binaryData` together. */
export interface ConfigMap {
  apiVersion: 'v1';
  kind: 'ConfigMap';
  metadata: ObjectMeta;
  data: Record<string, string>;
  /** Base64. */
  binaryData: Record<string, string>;
  immutable: boolean;
}

export interface Secret {
  apiVersion: 'v1';
  kind: 'Secret';
  metadata: ObjectMeta;
  type: string;
  /** Base64; what was given as `stringData` is in here too. */
  data: Record<string, string>;
  immutable: boolean;
}
