/** Which namespaces a pod's containers share with each other and with the node. */
import type { Pod } from '../types/pod.ts';
import type { OciNamespace } from './types.ts';

/**
 * Stands for the infra process's namespace, which the runner joins by its own descriptor. No such file exists, so that
 * a runtime that took the path literally would fail instead of joining something else.
 */
const INFRA = '/infra';

/** Of each kind: the node's, one of the pod's, or (PIDs) one of each container's. */
export interface PodNamespaces {
  network: 'pod' | 'host';
  pid: 'container' | 'pod' | 'host';
  ipc: 'pod' | 'host';
  user: 'pod' | 'host';
}

export function podNamespaces({ spec }: Pick<Pod, 'spec'>): PodNamespaces {
  const shared = (host: boolean) => (host ? 'host' : 'pod');
  return {
    network: shared(spec.hostNetwork),
    pid: spec.hostPID ? 'host' : spec.shareProcessNamespace ? 'pod' : 'container',
    ipc: shared(spec.hostIPC),
    user: shared(spec.hostUsers),
  };
}

/**
 * For OCI: network, IPC and UTS are the infra process's, which has the node's where it should; mounts and cgroup the
 * container's own. The node's PID namespace is none at all. Users come with the sandbox.
 */
export function ociNamespaces(pod: Pod): OciNamespace[] {
  const { pid } = podNamespaces(pod);
  const infra = (type: OciNamespace['type']) => ({ type, path: `${INFRA}/${type}` });
  const pids: OciNamespace[] = pid === 'host' ? [] : [pid === 'pod' ? infra('pid') : { type: 'pid' }];
  return [infra('network'), infra('ipc'), infra('uts'), ...pids, { type: 'mount' }, { type: 'cgroup' }];
}
