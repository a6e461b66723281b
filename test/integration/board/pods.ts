/** Pods for tests: a shell in the real debian image, and short words for what a status says. */
import type { Container } from '../../../src/manifest/types/container.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: Record<string, unknown>;
  spec: Record<string, unknown>;
}

type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

type ContainerInput = Partial<Omit<Container, 'env' | 'volumeMounts' | ProbeName> & Record<ProbeName, object>> & {
  name?: string;
  sh?: string;
  env?: object[];
  volumeMounts?: object[];
};

/** A manifest of containers that each run a shell script in the debian image, unless they say otherwise. */
export function shellPod(name: string, containers: ContainerInput[], spec: object = {}): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 2,
      ...spec,
      containers: containers.map(({ sh, ...container }, index) => ({
        name: `c${index}`,
        image: 'debian',
        ...(sh !== undefined && { command: ['/bin/sh', '-c', sh] }),
        ...container,
      })),
    },
  };
}

/** A shell that honours SIGTERM at once, which a plain `sleep` as process 1 does not. */
export const SLEEP = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';

export function state(pod: Pod, container = 'c0') {
  return pod.status?.containerStatuses.find(({ name }) => name === container)?.state ?? {};
}

export function restarts(pod: Pod, container = 'c0'): number {
  return pod.status?.containerStatuses.find(({ name }) => name === container)?.restartCount ?? -1;
}

export function running(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && pod.status.containerStatuses.every((status) => status.state.running);
}

export function phase(wanted: string) {
  return (pod: Pod) => pod.status?.phase === wanted;
}

/** Container `name` waits or ended for `reason`. */
export function because(reason: string, container = 'c0') {
  return (pod: Pod) => {
    const { waiting, terminated } = state(pod, container);
    return waiting?.reason === reason || terminated?.reason === reason;
  };
}
