/** A pod as one line of `get pods`: what kubectl's printer shows for the same status. */
import type { DevicePod } from '../../client/fleet.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { PodStatus } from '../../manifest/types/status.ts';
import { age } from './age.ts';

export interface PodColumns {
  wide: boolean;
  namespaces: boolean;
  devices: boolean;
}

export function podHeadings({ wide, namespaces, devices }: PodColumns): string[] {
  return [
    ...(devices ? ['DEVICE'] : []),
    ...(namespaces ? ['NAMESPACE'] : []),
    ...['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
    ...(wide ? ['IP', 'NODE', 'IMAGES'] : []),
  ];
}

export function podRow({ device, pod }: DevicePod, { wide, namespaces, devices }: PodColumns): string[] {
  const containers = pod.spec?.containers ?? [];
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const { ready, restarts } = podCounts(pod);
  return [
    ...(devices ? [device] : []),
    ...(namespaces ? [pod.metadata.namespace ?? 'default'] : []),
    pod.metadata.name,
    `${ready}/${containers.length + sidecars.length}`,
    podStatusWord(pod),
    String(restarts),
    age(pod.status?.startTime ?? pod.metadata.creationTimestamp),
    ...(wide ? [pod.status?.podIP ?? '', device, containers.map(({ image }) => image).join(',')] : []),
  ];
}

/** Ready containers and sidecars, and restarts: of the init containers while they are what the pod is at. */
function podCounts(pod: Pod): { ready: number; restarts: number } {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const sidecars = initContainerStatuses.filter(({ name }) => isSidecar(pod, name));
  const initializing = initWord(pod) !== undefined;
  const counted = initializing ? initContainerStatuses : [...sidecars, ...containerStatuses];
  return {
    ready: [...sidecars, ...containerStatuses].filter((status) => status.ready).length,
    restarts: counted.reduce((sum, { restartCount }) => sum + restartCount, 0),
  };
}

/** The STATUS column: the most telling reason, else the phase (kubectl: printPod in pkg/printers/internalversion). */
export function podStatusWord(pod: Pod): string {
  const status = pod.status;
  if (!status) return 'Unknown';
  let word = initWord(pod) ?? containersWord(status);
  if (status.errors?.length && status.phase === 'Pending' && status.containerStatuses.length === 0) word = 'Rejected';
  const over = status.phase === 'Succeeded' || status.phase === 'Failed';
  return pod.metadata.deletionTimestamp && !over ? 'Terminating' : word;
}

function containersWord(status: PodStatus): string {
  let word = status.reason || status.phase;
  let running = false;
  for (const { state, ready } of [...status.containerStatuses].reverse()) {
    if (state.waiting?.reason) word = state.waiting.reason;
    else if (state.terminated) word = state.terminated.reason || exitWord(state.terminated);
    else if (ready && state.running) running = true;
  }
  if (word === 'Completed' && running) return status.conditions.some(isReady) ? 'Running' : 'NotReady';
  return word;
}

/** `Init:1/2`, `Init:CrashLoopBackOff` …: what the first init container that is not through is at; undefined when all are. */
function initWord(pod: Pod): string | undefined {
  const statuses = pod.status?.initContainerStatuses ?? [];
  if (pod.status?.conditions.some(({ type, status }) => type === 'Initialized' && status === 'True')) return undefined;
  const index = statuses.findIndex(
    ({ name, state, started }) => state.terminated?.exitCode !== 0 && !(isSidecar(pod, name) && started),
  );
  const { terminated, waiting } = statuses[index]?.state ?? {};
  if (index < 0) return undefined;
  if (terminated) return `Init:${terminated.reason || exitWord(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${index}/${pod.spec.initContainers.length}`;
}

function isSidecar(pod: Pod, name: string): boolean {
  return (pod.spec?.initContainers ?? []).some((c) => c.name === name && c.restartPolicy === 'Always');
}

const isReady = ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True';

function exitWord({ signal, exitCode }: { signal?: number; exitCode: number }): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}
