/**
 * Whether the node has room for a pod, decided once and for the pod as a whole: its effective request is compared with
 * allocatable minus what admitted pods hold. A pod that was admitted is never re-evaluated, also not by an agent restart.
 */

import { allContainers } from '../../manifest/containers.ts';
import { qosClass } from '../../manifest/qos.ts';
import { effectiveRequest, type ResourceAmounts } from '../../manifest/requests.ts';
import { isAllowedSysctl } from '../../manifest/sysctls.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { isCritical } from '../eviction/rank.ts';
import type { Outcome } from '../types.ts';
import { type HostPort, hostPorts, type ListeningPort, overlaps, publishedPorts } from './host-ports.ts';

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

/** What is taken of the node, and what there is. */
export interface Occupancy {
  admitted: Pod[];
  allocatable: Allocatable;
  listening?: () => ListeningPort[];
  /** MemoryPressure, DiskPressure, PIDPressure. */
  pressures?: readonly string[];
  /** Asked only for a pod that wants a profile. */
  appArmor?: () => boolean;
}

/**
 * Undefined when the pod fits beside `admitted` (all pods that have not ended; one that is on its way out still holds
 * what it holds), else how it is refused.
 * @param listening ports that processes of the node have; asked only for a pod that publishes some
 */
export const refusal = (
  pod: Pod,
  { admitted, allocatable, listening = () => [], pressures = [], appArmor = () => true }: Occupancy,
): Outcome | undefined => {
  const asked = effectiveRequest(pod);
  const held = admitted.map(effectiveRequest);
  const lacks = (resource: string, of: keyof ResourceAmounts) =>
    shortage(
      resource,
      asked[of],
      held.reduce((total, request) => total + request[of], 0),
      allocatable[of],
    );
  return (
    underPressure(pod, pressures) ??
    shortage('pods', 1, admitted.length, allocatable.pods) ??
    lacks('cpu', 'cpuMilli') ??
    lacks('memory', 'memoryBytes') ??
    lacks('ephemeral-storage', 'storageBytes') ??
    portConflict(pod, admitted) ??
    portListener(pod, listening) ??
    forbiddenSysctl(pod, allocatable.sysctls) ??
    unenforceable(pod, appArmor)
  );
};

/** Critical pods come in regardless; when only memory is short, so does a pod that has said what it needs. */
const underPressure = (pod: Pod, pressures: readonly string[]): Outcome | undefined => {
  if (pressures.length === 0 || isCritical(pod.spec)) return undefined;
  const onlyMemory = pressures.every((pressure) => pressure === 'MemoryPressure');
  if (onlyMemory && qosClass(pod) !== 'BestEffort') return undefined;
  return refused('Evicted', `The node had condition: [${pressures.join(' ')}]. `);
};

/** Why a pod cannot be begun; `passing`: only because of pods that are on their way out, which it can wait for. */
export interface Refusal {
  outcome: Outcome;
  passing: boolean;
}

/**
 * As `refusal`, which a pod survives that has only to wait: a kubelet would never have been sent it, since a scheduler
 * keeps it Pending until the pods that are being terminated have gone.
 * @param leaving those of `admitted` that are being terminated
 */
export const admission = (
  pod: Pod,
  { leaving, ...occupancy }: Occupancy & { leaving: readonly Pod[] },
): Refusal | undefined => {
  const outcome = refusal(pod, occupancy);
  if (outcome === undefined) return undefined;
  const staying = occupancy.admitted.filter((other) => !leaving.includes(other));
  // A port that is listened on may be a leaving pod's too; if it is another's, the pod is refused when they are gone.
  const passing = leaving.length > 0 && !refusal(pod, { ...occupancy, admitted: staying, listening: () => [] });
  return { outcome, passing };
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

/** As the kubelet: any profile but Unconfined, also the default one, needs a kernel that enforces it. */
const unenforceable = (pod: Pod, appArmor: () => boolean): Outcome | undefined => {
  const own = pod.spec.securityContext?.appArmorProfile;
  const wanted = allContainers(pod.spec).map(({ securityContext }) => securityContext?.appArmorProfile ?? own);
  if (wanted.every((profile) => profile === undefined || profile.type === 'Unconfined') || appArmor()) return undefined;
  return refused('AppArmor', 'Cannot enforce AppArmor: AppArmor is not enabled on the host');
};

/**
 * A process that listens on a published port would be cut off from its clients. In the node's network the pod's own
 * process finds out by itself, when it binds.
 */
const portListener = (pod: Pod, listening: () => ListeningPort[]): Outcome | undefined => {
  const wanted = publishedPorts(pod).map(
    ({ hostIP, hostPort, protocol }): HostPort => ({ ip: hostIP, port: hostPort, protocol }),
  );
  if (wanted.length === 0) return undefined;
  const ports = listening();
  for (const port of wanted) {
    const holder = ports.find((taken) => overlaps(port, taken));
    if (holder === undefined) continue;
    return refused(
      'NodePorts',
      `Node port ${port.port}/${port.protocol} is in use by ${holder.by()}, which listens on ${holder.ip}; ` +
        'stop it, choose another port, or a hostIP it does not use',
    );
  }
  return undefined;
};

const refused = (reason: string, message: string): Outcome => ({ phase: 'Failed', reason, message, refused: true });
