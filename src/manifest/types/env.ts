/** Environment variables and where they come from. */

export interface EnvVar {
  name: string;
  /** As written, `$(VAR)` not expanded; absent with `valueFrom`. */
  value?: string;
  valueFrom?: EnvVarSource;
}

/** Exactly one member. */
export interface EnvVarSource {
  configMapKeyRef?: KeyRef;
  secretKeyRef?: KeyRef;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
  fileKeyRef?: FileKeyRef;
}

/** One variable of a file of `KEY=value` lines in an emptyDir of the pod. */
export interface FileKeyRef {
  volumeName: string;
  path: string;
  key: string;
  optional: boolean;
}

export interface KeyRef {
  name: string;
  key: string;
  optional: boolean;
}

export interface FieldRef {
  /** E.g. `metadata.name`, `metadata.labels['app']`, `status.podIP`. */
  fieldPath: string;
}

export interface ResourceFieldRef {
  /** The container itself when absent (in env); required in volumes. */
  containerName?: string;
  /** E.g. `limits.cpu`. */
  resource: string;
  divisor: string;
}

/** Exactly one of `configMapRef`, `secretRef`. */
export interface EnvFromSource {
  prefix: string;
  configMapRef?: { name: string; optional: boolean };
  secretRef?: { name: string; optional: boolean };
}
