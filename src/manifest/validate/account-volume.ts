/**
 * The volume Kubernetes gives every pod so that it can talk to its API server. A manifest that was read back from a
 * cluster (`kubectl get -o yaml`) has it without anybody having asked for it: it is left out, with a warning. A token
 * that somebody did ask for is refused.
 */
import type { PodSpec } from '../types/pod.ts';
import { isObject, type RawObject } from './read.ts';

/** As the ServiceAccount admission plug-in makes names. */
const NAME = /^kube-api-access-[a-z0-9]{5}$/;

export const ACCOUNT_VOLUME = 'ignored: an API server added it; there is none here for the pod to talk to';

export function isAccountVolume({ name, projected }: RawObject): boolean {
  const sources = isObject(projected) && Array.isArray(projected.sources) ? projected.sources : [];
  return (
    typeof name === 'string' && NAME.test(name) && sources.some((s) => isObject(s) && isObject(s.serviceAccountToken))
  );
}

/** The spec without it, and without its mounts; `volumes`: the list as written. */
export function withoutAccountVolume(spec: PodSpec, volumes: unknown): PodSpec {
  const raw: unknown[] = Array.isArray(volumes) ? volumes : [];
  const names = new Set(raw.flatMap((volume) => (isObject(volume) && isAccountVolume(volume) ? [volume.name] : [])));
  if (names.size === 0) return spec;
  const unmounted = (containers: PodSpec['containers']) =>
    containers.map((container) => ({
      ...container,
      volumeMounts: container.volumeMounts.filter(({ name }) => !names.has(name)),
    }));
  return {
    ...spec,
    volumes: spec.volumes.filter(({ name }) => !names.has(name)),
    initContainers: unmounted(spec.initContainers),
    containers: unmounted(spec.containers),
  };
}
