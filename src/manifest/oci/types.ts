/** The OCI runtime-spec 1.2 configuration, the part edgepod writes. */
import type { LinuxResources } from '../resources.ts';

export interface OciMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface OciDeviceRule {
  allow: boolean;
  type?: 'c' | 'b';
  major?: number;
  minor?: number;
  access: string;
}

export interface OciNamespace {
  type: 'mount' | 'cgroup' | 'pid' | 'network' | 'ipc' | 'uts';
  path?: string;
}

export interface OciUser {
  uid: number;
  gid: number;
  additionalGids?: number[];
}

/** A device node to make in the container. */
export interface OciDevice {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

export interface OciConfig {
  ociVersion: string;
  process: {
    terminal: false;
    user: OciUser;
    args: string[];
    env: string[];
    cwd: string;
    capabilities: { bounding: string[]; effective: string[]; permitted: string[] };
    rlimits: { type: string; soft: number; hard: number }[];
    noNewPrivileges: boolean;
    oomScoreAdj: number;
    apparmorProfile?: string;
  };
  root: { path: string; readonly: boolean };
  mounts: OciMount[];
  linux: {
    namespaces: OciNamespace[];
    cgroupsPath: string;
    resources: LinuxResources & { devices: OciDeviceRule[] };
    maskedPaths: string[];
    readonlyPaths: string[];
    devices?: readonly OciDevice[];
    seccomp?: object;
  };
  annotations: Record<string, string>;
}

/** A container that cannot be started as its manifest and image say: status reason CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  readonly code = 'CreateContainerConfigError';
}
