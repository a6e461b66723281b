/** A pod as one line of `get pods`: what kubectl's printer shows for the same status. */
import type { DevicePod } from '../../client/fleet.ts';
import type { Pod } from '../../manifest/types.ts';
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
  const statuses = pod.status?.containerStatuses ?? [];
  const containers = pod.spec?.containers ?? [];
  const ready = statuses.filter((status) => status.ready).length;
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  return [
    ...(devices ? [device] : []),
    ...(namespaces ? [pod.metadata.namespace ?? 'default'] : []),
    pod.metadata.name,
    `${ready}/${containers.length}`,
    podStatusWord(pod),
    String(restarts),
    age(pod.status?.startTime ?? pod.metadata.creationTimestamp),
    ...(wide ? [pod.status?.podIP ?? '', device, containers.map(({ image }) => image).join(',')] : []),
  ];
}

/** The STATUS column: the most telling reason, else the phase (kubectl: printPod in pkg/printers/internalversion). */
export function podStatusWord(pod: Pod): string {
  const status = pod.status;
  if (!status) return 'Unknown';
  let word = status.reason || status.phase;
  let running = false;
  for (const { state, ready } of [...status.containerStatuses].reverse()) {
    if (state.waiting?.reason) word = state.waiting.reason;
    else if (state.terminated) word = state.terminated.reason || exitWord(state.terminated);
    else if (ready && state.running) running = true;
  }
  if (word === 'Completed' && running) word = status.conditions.some(isReady) ? 'Running' : 'NotReady';
  if (status.errors?.length && status.phase === 'Pending' && status.containerStatuses.length === 0) word = 'Rejected';
  return pod.metadata.deletionTimestamp ? 'Terminating' : word;
}

const isReady = ({ type, status }: { type: string; status: string }) => type === 'Ready' && status === 'True';

function exitWord({ signal, exitCode }: { signal?: number; exitCode: number }): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}
