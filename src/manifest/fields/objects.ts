/** ConfigMap and Secret. */
import { type FieldTable, yes } from './field.ts';

export const ConfigMap: FieldTable = {
  apiVersion: yes('must be `v1`'),
  kind: yes('must be `ConfigMap`'),
  metadata: yes(),
  data: yes('keys of letters, digits, `-`, `_` and `.`; 1 MiB together with `binaryData`'),
  binaryData: yes('base64; no key that is in `data` too'),
  immutable: yes('a change of the data is not taken over while it is set'),
};

export const Secret: FieldTable = {
  apiVersion: yes('must be `v1`'),
  kind: yes('must be `Secret`'),
  metadata: yes(),
  type: yes('`Opaque` when absent; the types of `kubernetes.io/` need their keys'),
  data: yes('base64; 1 MiB together'),
  stringData: yes('merged into `data`, over what is there'),
  immutable: yes('a change of the data is not taken over while it is set'),
};
