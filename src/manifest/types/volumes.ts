/** Volumes and what is in them. */
import type { Container } from './container.ts';
import type { FieldRef, ResourceFieldRef } from './env.ts';

/** Exactly one source besides the name. */
export interface Volume {
  name: string;
  emptyDir?: { medium?: '' | 'Memory'; sizeLimit?: string };
  hostPath?: { path: string; type: HostPathType };
  configMap?: ConfigMapSource & { defaultMode: number };
  secret?: { secretName: string; items?: KeyToPath[]; optional: boolean; defaultMode: number };
  downwardAPI?: { items: DownwardFile[]; defaultMode: number };
  projected?: { sources: ProjectedSource[]; defaultMode: number };
  image?: { reference: string; pullPolicy: Container['imagePullPolicy'] };
}

export interface ConfigMapSource {
  name: string;
  /** All keys when absent. */
  items?: KeyToPath[];
  optional: boolean;
}

export interface KeyToPath {
  key: string;
  /** Relative, without `..`. */
  path: string;
  mode?: number;
}

/** Exactly one of `fieldRef`, `resourceFieldRef`. */
export interface DownwardFile {
  path: string;
  fieldRef?: FieldRef;
  resourceFieldRef?: ResourceFieldRef;
  mode?: number;
}

/** Exactly one member. */
export interface ProjectedSource {
  configMap?: ConfigMapSource;
  secret?: ConfigMapSource;
  downwardAPI?: { items: DownwardFile[] };
}

export type HostPathType =
  | ''
  | 'DirectoryOrCreate'
  | 'Directory'
  | 'FileOrCreate'
  | 'File'
  | 'Socket'
  | 'CharDevice'
  | 'BlockDevice';
