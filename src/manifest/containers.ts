/** The containers of a pod taken together: init containers, sidecars among them, and regular ones. */
import type { Container, PodSpec } from './types.ts';

/** Every container that has a process, a status and a log of its own, in order of start. */
export function allContainers({ initContainers, containers }: PodSpec): Container[] {
  return [...initContainers, ...containers];
}

/** An init container that goes on running beside what comes after it. */
export function isSidecar(spec: PodSpec, container: Container): boolean {
  return container.restartPolicy === 'Always' && isInit(spec, container);
}

export function isInit({ initContainers }: PodSpec, { name }: Container): boolean {
  return initContainers.some((init) => init.name === name);
}

/** Names are unique over init and regular containers. */
export function findContainer(spec: PodSpec, name: string): Container | undefined {
  return allContainers(spec).find((container) => container.name === name);
}
