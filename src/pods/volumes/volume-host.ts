/** The volumes of a pod on this machine: made before its sandbox, removed after it. Thin I/O. */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findContainer } from '../../manifest/containers.ts';
import { expandReferences } from '../../manifest/env.ts';
import type { VolumeMount } from '../../manifest/types/container.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { podDir, volumeDir } from '../files/paths.ts';
import { removeTree } from '../files/remove-tree.ts';
import { SetUpError, VolumeError } from './mount-error.ts';
import { openPath } from './path-fd.ts';
import { isDataVolume } from './payload.ts';
import { serialised } from './serialised.ts';
import { checkSubPath } from './sub-path.ts';
import { memoryRoot, type VolumeMakerOptions, volumeMaker } from './volume-maker.ts';

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
  /** Makes and checks every volume of the pod; idempotent. Rejects with VolumeError, SetUpError or an errno. */
  prepare(uid: string, pod: Pod): Promise<VolumePaths>;
  /** Brings the files of objects and of the pod's own labels up to date, where they have been made. Rejects as `prepare`. */
  refresh(uid: string, pod: Pod): Promise<void>;
  /** The bind mounts of one container, `$(VAR)` of subPathExpr expanded. Rejects with VolumeError. */
  mounts(
    pod: Pod,
    container: string,
    volumes: VolumePaths,
    variables: ReadonlyMap<string, string>,
  ): Promise<ResolvedMount[]>;
  /** Unmounts and deletes what the pod's volumes held. Host paths are not touched. Idempotent. */
  remove(uid: string): Promise<void>;
  /** Removes what belongs to pods nobody knows any more. */
  sweep(known: ReadonlySet<string>): Promise<void>;
}

export const volumeHost = (options: VolumeMakerOptions): VolumeHost => {
  const { paths, system } = options;
  const inTurn = serialised();
  const maker = volumeMaker(options);
  const inMemory = memoryRoot(paths);

  const remove = async (uid: string): Promise<void> => {
    const memoryDir = join(inMemory, uid);
    const names = await readdir(memoryDir).catch(() => []);
    for (const name of names) await system.unmount(join(memoryDir, name));
    await Promise.all([removeTree(memoryDir), removeTree(volumeDir(paths, uid))]);
    await rmdir(inMemory).catch(() => {}); // the last pod takes the directory with it; others still need it
  };

  return {
    remove: (uid) => inTurn(uid, () => remove(uid)),

    prepare: (uid, pod) =>
      inTurn(uid, async () => {
        const made = pod.spec.volumes.map(async (volume) => [volume.name, await maker.make(uid, pod, volume)] as const);
        // All settle before the first failure is told: nothing may still be in the making when the pod is removed.
        await Promise.allSettled(made);
        return Object.fromEntries(await Promise.all(made));
      }),

    refresh: (uid, pod) =>
      inTurn(uid, async () => {
        for (const volume of pod.spec.volumes.filter(isDataVolume)) {
          const there = await openPath(join(inMemory, uid, volume.name), { nofollow: true });
          await there?.close();
          if (there) await maker.makeData(uid, pod, volume);
        }
      }),

    async mounts(pod, container, volumes, variables) {
      const mounted = findContainer(pod.spec, container)?.volumeMounts ?? [];
      return Promise.all(mounted.map((mount) => resolveMount(pod, mount, volumes, variables)));
    },

    async sweep(known) {
      const [onDisk, mounted] = await Promise.all(
        [join(paths.dataDir, 'pods'), inMemory].map((dir) => readdir(dir).catch(() => [])),
      );
      const unknown = new Set([...(onDisk ?? []), ...(mounted ?? [])].filter((uid) => !known.has(uid)));
      for (const uid of unknown) {
        await remove(uid);
        await removeTree(podDir(paths, uid));
      }
    },
  };
};

const resolveMount = async (
  pod: Pod,
  { name, mountPath, readOnly, subPath, subPathExpr }: VolumeMount,
  volumes: VolumePaths,
  variables: ReadonlyMap<string, string>,
): Promise<ResolvedMount> => {
  const root = volumes[name];
  const volume = pod.spec.volumes.find((candidate) => candidate.name === name);
  if (root === undefined || volume === undefined) throw new Error(`volumeMounts: no volume "${name}" in spec.volumes`);
  const path = subPathExpr === undefined ? subPath : expandSubPath(name, subPathExpr, variables);
  const within = path ? { root, subPath: await checkSubPath(name, root, path) } : undefined;
  return {
    source: root,
    destination: mountPath,
    // What is the agent's, or shared with other pods, no container writes to (CVE-2017-1002102).
    readOnly: readOnly || isDataVolume(volume) || volume.image !== undefined,
    ...(within && within.subPath !== '' && { within }),
  };
};

/** A reference to nothing must not become the whole volume: the container waits instead, as at the kubelet. */
const expandSubPath = (volume: string, expression: string, variables: ReadonlyMap<string, string>): string => {
  for (const [, name] of expression.replaceAll('$$', '').matchAll(/\$\(([^)]*)\)/g)) {
    if (name !== undefined && !variables.has(name))
      throw new SetUpError(volume, `subPathExpr: missing value for "${name}"`);
  }
  const path = expandReferences(expression, variables);
  if (path === '')
    throw new VolumeError('E_SUB_PATH', { volume, path: expression, why: 'subPathExpr: expands to nothing' });
  return path;
};
