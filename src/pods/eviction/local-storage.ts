/** Limits of what a pod may have on the disk, and whether it keeps to them (kubelet localStorageEviction). Pure. */
import { allContainers } from '../../manifest/containers.ts';
import { parseUnits } from '../../manifest/quantity.ts';
import { effectiveLimit, resourceAmounts } from '../../manifest/requests.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { Volume } from '../../manifest/types/volumes.ts';

/** Bytes on the disk. */
export interface StorageUsage {
  /** By name, of emptyDirs on the disk. */
  volumes: ReadonlyMap<string, number>;
  /** By name: writable layer and logs. */
  containers: ReadonlyMap<string, number>;
}

/** Volumes whose content is on the disk and the pod's own. */
export function diskVolumes({ spec }: Pod): Volume[] {
  return spec.volumes.filter(({ emptyDir }) => emptyDir !== undefined && emptyDir.medium !== 'Memory');
}

/** Whether anything of the pod has to be measured at all. */
export function hasStorageLimit(pod: Pod): boolean {
  return (
    diskVolumes(pod).some(({ emptyDir }) => sizeLimit(emptyDir?.sizeLimit) !== undefined) ||
    effectiveLimit(pod).storageBytes !== undefined ||
    allContainers(pod.spec).some((container) => containerLimit(container) !== undefined)
  );
}

/** The kubelet's message for the first limit that is exceeded; undefined when the pod keeps to all. */
export function exceededStorage(pod: Pod, { volumes, containers }: StorageUsage): string | undefined {
  for (const { name, emptyDir } of diskVolumes(pod)) {
    const limit = sizeLimit(emptyDir?.sizeLimit);
    if (limit !== undefined && (volumes.get(name) ?? 0) > limit)
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir?.sizeLimit}". `;
  }
  const { storageBytes } = effectiveLimit(pod);
  if (storageBytes !== undefined && sum(volumes) + sum(containers) > storageBytes)
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${storageBytes}. `;
  for (const container of allContainers(pod.spec)) {
    const limit = containerLimit(container);
    if (limit !== undefined && (containers.get(container.name) ?? 0) > limit)
      return `Container ${container.name} exceeded its local ephemeral storage limit "${container.resources.limits?.['ephemeral-storage']}". `;
  }
  return undefined;
}

function containerLimit({ resources }: Container): number | undefined {
  const { storageBytes } = resourceAmounts(resources.limits);
  return storageBytes > 0 ? storageBytes : undefined;
}

/** A limit of 0 is none. */
function sizeLimit(text: string | undefined): number | undefined {
  const bytes = text === undefined ? 0 : Number(parseUnits(text));
  return bytes > 0 ? bytes : undefined;
}

function sum(usage: ReadonlyMap<string, number>): number {
  return [...usage.values()].reduce((total, bytes) => total + bytes, 0);
}
