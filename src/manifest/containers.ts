/** The containers of a pod taken together: init containers, sidecars among them, regular and ephemeral ones. */
import type { Container } from './types/container.ts';
import type { PodSpec } from './types/pod.ts';

/** Every container that has a process, a status and a log of its own, in order of start. */
export function allContainers(spec: PodSpec): Container[] {
  return [...ownContainers(spec), ...(spec.ephemeralContainers ?? [])];
}

/** Those the pod was admitted with. */
export function ownContainers({ initContainers, containers }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}

/** One that was added to the pod while it ran. */
export function isEphemeral({ ephemeralContainers = [] }: PodSpec, { name }: Container): boolean {
  return ephemeralContainers.some((ephemeral) => ephemeral.name === name);
}

/** An init container that goes on running beside what comes after it. */
export function isSidecar(spec: PodSpec, container: Container): boolean {
  return container.restartPolicy === 'Always' && isInit(spec, container);
}

export function isInit({ initContainers }: PodSpec, { name }: Container): boolean {
  return initContainers.some((init) => init.name === name);
}

/** Names are unique over all containers of a pod. */
export function findContainer(spec: PodSpec, name: string): Container | undefined {
  return allContainers(spec).find((container) => container.name === name);
}
