/** The volumes of a pod on this machine: made before its sandbox, removed after it. Thin I/O. */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findContainer } from '../../manifest/containers.ts';
import { effectiveLimit } from '../../manifest/requests.ts';
import type { Pod, Volume } from '../../manifest/types.ts';
import { type Paths, podDir } from '../paths.ts';
import { removeTree } from '../remove-tree.ts';
import { makeDiskDir, makeMemoryDir, type TmpfsMounts, tmpfsSize } from './empty-dir.ts';
import { resolveHostPath } from './host-path.ts';
import { resolveSubPath } from './sub-path.ts';

/** One bind mount of a container, in the order of its volumeMounts. */
export interface ResolvedMount {
  source: string;
  destination: string;
  readOnly: boolean;
  /** The volume's own path and the subPath asked for, for a runner that resolves them itself, free of races. */
  within?: { root: string; subPath: string };
}

/** Volume name → where it is on this machine. */
export type VolumePaths = Record<string, string>;

export interface VolumeHost {
  /** Makes and checks every volume of the pod; idempotent. Rejects with VolumeError or an errno. */
  prepare(uid: string, pod: Pod): Promise<VolumePaths>;
  /** The bind mounts of one container, subPaths resolved and created. Rejects with VolumeError. */
  mounts(pod: Pod, container: string, volumes: VolumePaths): Promise<ResolvedMount[]>;
  /** Unmounts and deletes what the pod's emptyDirs held. Host paths are not touched. Idempotent. */
  remove(uid: string): Promise<void>;
  /** Removes what belongs to pods nobody knows any more. */
  sweep(known: ReadonlySet<string>): Promise<void>;
}

export const volumeHost = ({
  paths,
  mounts,
  allocatableMemory,
}: {
  paths: Paths;
  mounts: TmpfsMounts;
  /** Bytes of memory pods may use on this node. */
  allocatableMemory: () => number;
}): VolumeHost => {
  const diskDir = (uid: string) => join(podDir(paths, uid), 'volumes');
  // Not below the sandbox's run directory: a sandbox comes and goes while the pod's volumes stay.
  const memoryRoot = join(paths.runDir, 'pods-volumes');

  const prepareOne = (uid: string, pod: Pod, { name, hostPath, emptyDir }: Volume): Promise<string> => {
    if (hostPath) return resolveHostPath(name, hostPath.path, hostPath.type);
    if (emptyDir?.medium !== 'Memory') return makeDiskDir(join(diskDir(uid), name));
    const size = tmpfsSize(emptyDir.sizeLimit, effectiveLimit(pod).memoryBytes, allocatableMemory());
    return makeMemoryDir(join(memoryRoot, uid, name), size, mounts);
  };

  const remove = async (uid: string): Promise<void> => {
    const memoryDir = join(memoryRoot, uid);
    const names = await readdir(memoryDir).catch(() => []);
    for (const name of names) await mounts.unmount(join(memoryDir, name));
    await Promise.all([removeTree(memoryDir), removeTree(diskDir(uid))]);
    await rmdir(memoryRoot).catch(() => {}); // the last pod takes the directory with it; others still need it
  };

  return {
    remove,

    async prepare(uid, pod) {
      const made = pod.spec.volumes.map(async (volume) => [volume.name, await prepareOne(uid, pod, volume)] as const);
      // All settle before the first failure is told: nothing may still be in the making when the pod is removed.
      await Promise.allSettled(made);
      return Object.fromEntries(await Promise.all(made));
    },

    async mounts(pod, container, volumes) {
      const mounted = findContainer(pod.spec, container)?.volumeMounts ?? [];
      const resolved: ResolvedMount[] = [];
      // One after the other: two subPaths may create the same directory.
      for (const { name, mountPath, readOnly, subPath } of mounted) {
        const root = volumes[name];
        if (root === undefined) throw new Error(`volumeMounts: no volume "${name}" in spec.volumes`);
        const source = subPath ? await resolveSubPath(name, root, subPath) : root;
        resolved.push({ source, destination: mountPath, readOnly, ...(subPath && { within: { root, subPath } }) });
      }
      return resolved;
    },

    async sweep(known) {
      const [onDisk, inMemory] = await Promise.all(
        [join(paths.dataDir, 'pods'), memoryRoot].map((dir) => readdir(dir).catch(() => [])),
      );
      const unknown = new Set([...(onDisk ?? []), ...(inMemory ?? [])].filter((uid) => !known.has(uid)));
      for (const uid of unknown) {
        await remove(uid);
        await removeTree(podDir(paths, uid));
      }
    },
  };
};
