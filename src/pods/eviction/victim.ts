/** Measures the pods that run and finds the one to end for what the node is short of. */
import { allContainers } from '../../manifest/containers.ts';
import { effectiveRequest, resourceAmounts } from '../../manifest/requests.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { Paths } from '../files/paths.ts';
import type { PodRecord } from '../types.ts';
import { type ContainerUse, evictionMessage, type Starved } from './message.ts';
import { type Candidate, isCritical, ranked, type StarvedResource } from './rank.ts';
import { storageUsage, type TreeUsage } from './storage-check.ts';

export interface Measures {
  /** Of each control group the memory it cannot do without (bytes) and its processes; NaN where not known. */
  groups(cgroups: string[]): { workingSet: number; processes: number }[];
  treeUsage: TreeUsage;
}

export interface Victim {
  uid: string;
  message: string;
}

interface Measured extends Candidate {
  uid: string;
  containers: ContainerUse[];
}

/** Undefined when no pod may be ended. Rejects when the disk could not be measured. */
export const findVictim = async (
  records: PodRecord[],
  starved: Starved,
  { measures, paths, cgroupRoot }: { measures: Measures; paths: Paths; cgroupRoot: string },
): Promise<Victim | undefined> => {
  const { resource } = starved;
  const evictable = records.filter(({ pod }) => !isCritical(pod.spec));
  const measured = await Promise.all(
    evictable.map((record) =>
      resource === 'memory' || resource === 'pids'
        ? measureGroup(record, resource, measures, cgroupRoot)
        : measureDisk(record, resource, measures, paths),
    ),
  );
  const [first] = ranked(resource, measured);
  return first && { uid: first.uid, message: evictionMessage(starved, first.containers) };
};

const measureGroup = async (
  { uid, pod }: PodRecord,
  resource: 'memory' | 'pids',
  { groups }: Measures,
  cgroupRoot: string,
): Promise<Measured> => {
  const all = allContainers(pod.spec);
  const cgroup = `${cgroupRoot}/pod${uid}`;
  const [own, ...each] = groups([cgroup, ...all.map(({ name }) => `${cgroup}/${name}`)]);
  const figure = resource === 'memory' ? 'workingSet' : 'processes';
  const { priority } = pod.spec;
  if (resource === 'pids') return { uid, priority, usage: known(own?.[figure]), request: 0, containers: [] };
  const containers = all.map((container, index) => use(container, resource, known(each[index]?.[figure])));
  return { uid, priority, usage: known(own?.[figure]), request: effectiveRequest(pod).memoryBytes, containers };
};

const measureDisk = async (
  record: PodRecord,
  resource: 'ephemeral-storage' | 'inodes',
  { treeUsage }: Measures,
  paths: Paths,
): Promise<Measured> => {
  const { uid, pod } = record;
  const { bytes, inodes } = await storageUsage(record, { paths, treeUsage });
  const { volumes, containers } = resource === 'inodes' ? inodes : bytes;
  const usage = [...volumes.values(), ...containers.values()].reduce((sum, value) => sum + value, 0);
  const { priority } = pod.spec;
  if (resource === 'inodes') return { uid, priority, usage, request: 0, containers: [] };
  return {
    uid,
    priority,
    usage,
    request: effectiveRequest(pod).storageBytes,
    containers: allContainers(pod.spec).map((container) =>
      use(container, resource, containers.get(container.name) ?? 0),
    ),
  };
};

const use = (
  { name, resources }: Container,
  resource: Extract<StarvedResource, 'memory' | 'ephemeral-storage'>,
  usage: number,
): ContainerUse => {
  const { memoryBytes, storageBytes } = resourceAmounts(resources.requests);
  return { name, usage, request: resource === 'memory' ? memoryBytes : storageBytes };
};

const known = (figure: number | undefined): number => (Number.isFinite(figure) ? (figure as number) : 0);
