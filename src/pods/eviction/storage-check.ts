/** Measures pods that have a limit on what they keep on the disk. Reads only; the walking is done by a thread of its own. */
import { join } from 'node:path';
import { allContainers } from '../../manifest/containers.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { containerDir, type Paths, podLogDir, volumeDir } from '../files/paths.ts';
import type { PodRecord } from '../types.ts';
import { diskVolumes, exceededStorage, hasStorageLimit, type StorageUsage } from './local-storage.ts';

/** Per path bytes and inodes, in turn; 0 for what is not there, infinite for what is too deep to be measured. */
export type TreeUsage = (paths: string[]) => Promise<Float64Array>;

type Subject = Pick<PodRecord, 'uid' | 'namespace' | 'name' | 'pod'>;

/** Why the pod is to be evicted; undefined when it keeps to its limits, or has none. Rejects when it cannot be measured. */
export const storageExcess = async (
  subject: Subject,
  { paths, treeUsage }: { paths: Paths; treeUsage: TreeUsage },
): Promise<string | undefined> => {
  const { pod } = subject;
  if (!hasStorageLimit(pod)) return undefined;
  const { bytes } = await storageUsage(subject, { paths, treeUsage });
  return exceededStorage(pod, bytes);
};

/** What the pod keeps on the disk, in bytes and in inodes. */
export const storageUsage = async (
  subject: Subject,
  { paths, treeUsage }: { paths: Paths; treeUsage: TreeUsage },
): Promise<{ bytes: StorageUsage; inodes: StorageUsage }> => {
  const places = storagePlaces(subject.pod, subject, paths);
  const figures = await treeUsage(places.map(({ path }) => path));
  const sum = (offset: 0 | 1): StorageUsage => {
    const usage = { volumes: new Map<string, number>(), containers: new Map<string, number>() };
    for (const [index, { of, name }] of places.entries()) {
      usage[of].set(name, (usage[of].get(name) ?? 0) + (figures[index * 2 + offset] ?? 0));
    }
    return usage;
  };
  return { bytes: sum(0), inodes: sum(1) };
};

interface Place {
  of: 'volumes' | 'containers';
  name: string;
  path: string;
}

const storagePlaces = (pod: Pod, subject: Subject, paths: Paths): Place[] => [
  ...diskVolumes(pod).map(
    ({ name }): Place => ({ of: 'volumes', name, path: join(volumeDir(paths, subject.uid), name) }),
  ),
  ...allContainers(pod.spec).flatMap(({ name }): Place[] => [
    { of: 'containers', name, path: containerDir(paths, subject.uid, name) },
    { of: 'containers', name, path: join(podLogDir(paths, subject), name) },
  ]),
];
