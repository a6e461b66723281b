/** Validates which namespaces a pod shares, among its containers and with the device. */
import type { PodSpec } from '../types/pod.ts';
import type { Issues } from './issues.ts';
import { type RawObject, readBoolean } from './read.ts';

type Namespaces = Pick<PodSpec, 'hostNetwork' | 'hostPID' | 'hostIPC' | 'hostUsers' | 'shareProcessNamespace'>;

const HOST = ['hostNetwork', 'hostPID', 'hostIPC'] as const;

export function readNamespaces(issues: Issues, path: string, raw: RawObject): Namespaces {
  const read = (name: keyof Namespaces) => readBoolean(issues, `${path}.${name}`, raw[name]);
  const namespaces = {
    hostNetwork: read('hostNetwork') ?? false,
    hostPID: read('hostPID') ?? false,
    hostIPC: read('hostIPC') ?? false,
    hostUsers: read('hostUsers') ?? true,
    shareProcessNamespace: read('shareProcessNamespace') ?? false,
  };
  for (const name of HOST)
    if (namespaces[name] && !namespaces.hostUsers)
      issues.error(`${path}.${name}`, 'Forbidden: may not be true when hostUsers is false');
  if (namespaces.hostPID && namespaces.shareProcessNamespace)
    issues.invalid(`${path}.shareProcessNamespace`, true, 'must not be true when hostPID is');
  return namespaces;
}
