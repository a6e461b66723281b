/** Environment variables and where they come from. */
import { type FieldTable, ignored, many, yes } from './field.ts';

export const EnvVar: FieldTable = {
  name: yes('printable ASCII without `=`'),
  value: yes('`$(VAR)` refers to a variable defined before'),
  valueFrom: yes('not with `value`'),
};

export const EnvVarSource: FieldTable = {
  ...many('configMapKeyRef secretKeyRef fieldRef resourceFieldRef fileKeyRef', yes('exactly one')),
};

export const FileKeySelector: FieldTable = {
  volumeName: yes('of an `emptyDir`'),
  path: yes('of a file of `KEY=value` lines, relative, without `..`; no link is followed'),
  key: yes(),
  optional: yes('the key, or the file, may be missing'),
};

const KEY: FieldTable = {
  name: yes('of an object in the namespace of the pod'),
  key: yes(),
  optional: yes(),
};

export const ConfigMapKeySelector: FieldTable = KEY;
export const SecretKeySelector: FieldTable = KEY;

export const ObjectFieldSelector: FieldTable = {
  fieldPath: yes('as Kubernetes lists them for variables and for files'),
  apiVersion: ignored('the fields are those of v1', 'v1'),
};

export const ResourceFieldSelector: FieldTable = {
  containerName: yes('required in volumes'),
  resource: yes('`limits.` or `requests.` and `cpu`, `memory`, `ephemeral-storage`'),
  divisor: yes('1 when absent'),
};

export const EnvFromSource: FieldTable = {
  prefix: yes('printable ASCII without `=`'),
  ...many('configMapRef secretRef', yes('exactly one')),
};

const SOURCE: FieldTable = {
  name: yes('of an object in the namespace of the pod'),
  optional: yes(),
};

export const ConfigMapEnvSource: FieldTable = SOURCE;
export const SecretEnvSource: FieldTable = SOURCE;
