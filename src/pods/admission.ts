/**
 * Whether the node has room for a pod, decided once and for the pod as a whole: its effective request is compared with
 * allocatable minus what admitted pods hold. A pod that was admitted is never re-evaluated, also not by an agent restart.
 */
import { effectiveRequest } from '../manifest/requests.ts';
import { isAllowedSysctl } from '../manifest/sysctls.ts';
import type { Pod } from '../manifest/types.ts';
import { hostPorts, overlaps } from './host-ports.ts';
import type { Outcome } from './types.ts';

/** What pods may use of the node, in total. */
export interface Allocatable {
  cpuMilli: number;
  memoryBytes: number;
  /** Of the file system of the data directory: `ephemeral-storage`. */
  storageBytes: number;
  pods: number;
  /** Sysctls that pods may set besides Kubernetes' safe ones; `net.core.*` stands for all below. */
  sysctls?: readonly string[];
}

/** Undefined when the pod fits beside `admitted` (all pods that have not ended), else how it is refused. */
export const refusal = (pod: Pod, admitted: Pod[], allocatable: Allocatable): Outcome | undefined => {
  const asked = effectiveRequest(pod);
  const held = admitted.map(effectiveRequest);
  const sum = (of: 'cpuMilli' | 'memoryBytes') => held.reduce((total, request) => total + request[of], 0);
  return (
    shortage('pods', 1, admitted.length, allocatable.pods) ??
    shortage('cpu', asked.cpuMilli, sum('cpuMilli'), allocatable.cpuMilli) ??
    shortage('memory', asked.memoryBytes, sum('memoryBytes'), allocatable.memoryBytes) ??
    portConflict(pod, admitted) ??
    forbiddenSysctl(pod, allocatable.sysctls)
  );
};

/** The kubelet's reason and text. cpu in milli-CPU, memory in bytes. A pod that asks for nothing always fits. */
const shortage = (resource: string, requested: number, used: number, capacity: number): Outcome | undefined => {
  if (requested === 0 || used + requested <= capacity) return undefined;
  return refused(
    `OutOf${resource}`,
    `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  );
};

const portConflict = (pod: Pod, admitted: Pod[]): Outcome | undefined => {
  for (const wanted of hostPorts(pod)) {
    const holder = admitted.find((other) => hostPorts(other).some((taken) => overlaps(wanted, taken)));
    if (holder === undefined) continue;
    const { namespace, name } = holder.metadata;
    return refused(
      'NodePorts',
      `Node port ${wanted.port}/${wanted.protocol} is in use by pod ${namespace}/${name}; ` +
        'delete that pod or choose another port',
    );
  }
  return undefined;
};

const forbiddenSysctl = (pod: Pod, allowed: readonly string[] = []): Outcome | undefined => {
  const names = (pod.spec.securityContext?.sysctls ?? []).map(({ name }) => name.replaceAll('/', '.'));
  const forbidden = names.find((name) => !isAllowedSysctl(name, allowed));
  if (forbidden === undefined) return undefined;
  return refused(
    'SysctlForbidden',
    `forbidden sysctl: "${forbidden}" not allowlisted; the node's allowedUnsafeSysctls can allow it`,
  );
};

const refused = (reason: string, message: string): Outcome => ({ phase: 'Failed', reason, message, refused: true });
