/** The volumes of a pod on this machine: made before its sandbox, removed after it. Thin I/O. */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findContainer } from '../../manifest/containers.ts';
import type { PodFacts } from '../../manifest/downward.ts';
import { expandReferences } from '../../manifest/env.ts';
import type { NamespaceObjects } from '../../manifest/env-sources.ts';
import { effectiveLimit } from '../../manifest/requests.ts';
import type { VolumeMount } from '../../manifest/types/container.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { Volume } from '../../manifest/types/volumes.ts';
import { type Paths, podDir, volumeDir } from '../files/paths.ts';
import { removeTree } from '../files/remove-tree.ts';
import type { ImageSource, ObjectSource } from '../ports.ts';
import { makeDataVolume } from './data-volume.ts';
import { makeDiskDir, makeMemoryDir, type TmpfsMounts, tmpfsSize } from './empty-dir.ts';
import { resolveHostPath } from './host-path.ts';
import { type LayerMounts, makeImageVolume } from './image-volume.ts';
import { SetUpError, VolumeError } from './mount-error.ts';
import { openPath } from './path-fd.ts';
import { isDataVolume, volumePayload } from './payload.ts';
import { serialised } from './serialised.ts';
import { checkSubPath } from './sub-path.ts';

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

/** What only native code does: mounts, and ownership of a tree a container may be changing. */
export interface VolumeSystem extends TmpfsMounts, LayerMounts {
  setTreeGroup(path: string, group: number, onlyOnMismatch: boolean): Promise<void>;
}

export interface VolumeHostOptions {
  paths: Paths;
  system: VolumeSystem;
  objects: ObjectSource;
  images: ImageSource;
  /** Bytes of memory pods may use on this node. */
  allocatableMemory: () => number;
  /** What downwardAPI files say of the node. */
  nodeFacts: () => Omit<PodFacts, 'uid'>;
  now: () => Date;
}

export const volumeHost = (options: VolumeHostOptions): VolumeHost => {
  const { paths, system, objects, images, allocatableMemory, nodeFacts, now } = options;
  const inTurn = serialised();
  const diskDir = (uid: string) => volumeDir(paths, uid);
  // Not below the sandbox's run directory: a sandbox comes and goes while the pod's volumes stay.
  const memoryRoot = join(paths.runDir, 'pods-volumes');

  const makeData = (uid: string, pod: Pod, volume: Volume): Promise<string> => {
    const payload = volumePayload(volume, {
      pod,
      objects: inNamespace(objects, pod.metadata.namespace),
      facts: { ...nodeFacts(), uid },
    });
    const group = pod.spec.securityContext?.fsGroup;
    return makeDataVolume({ path: join(memoryRoot, uid, volume.name), payload, group, mounts: system, now: now() });
  };

  const makeEmptyDir = async (uid: string, pod: Pod, { name, emptyDir }: Volume): Promise<string> => {
    const size = () => tmpfsSize(emptyDir?.sizeLimit, effectiveLimit(pod).memoryBytes, allocatableMemory());
    const path =
      emptyDir?.medium === 'Memory'
        ? await makeMemoryDir(join(memoryRoot, uid, name), size(), system)
        : await makeDiskDir(join(diskDir(uid), name));
    const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    if (fsGroup !== undefined) await system.setTreeGroup(path, fsGroup, fsGroupChangePolicy === 'OnRootMismatch');
    return path;
  };

  const prepareOne = async (uid: string, pod: Pod, volume: Volume): Promise<string> => {
    const { name, hostPath, image } = volume;
    if (hostPath) return resolveHostPath(name, hostPath.path, hostPath.type);
    if (image) return makeImageVolume({ name, image, path: join(memoryRoot, uid, name), images, mounts: system });
    return isDataVolume(volume) ? makeData(uid, pod, volume) : makeEmptyDir(uid, pod, volume);
  };

  const remove = async (uid: string): Promise<void> => {
    const memoryDir = join(memoryRoot, uid);
    const names = await readdir(memoryDir).catch(() => []);
    for (const name of names) await system.unmount(join(memoryDir, name));
    await Promise.all([removeTree(memoryDir), removeTree(diskDir(uid))]);
    await rmdir(memoryRoot).catch(() => {}); // the last pod takes the directory with it; others still need it
  };

  return {
    remove: (uid) => inTurn(uid, () => remove(uid)),

    prepare: (uid, pod) =>
      inTurn(uid, async () => {
        const made = pod.spec.volumes.map(async (volume) => [volume.name, await prepareOne(uid, pod, volume)] as const);
        // All settle before the first failure is told: nothing may still be in the making when the pod is removed.
        await Promise.allSettled(made);
        return Object.fromEntries(await Promise.all(made));
      }),

    refresh: (uid, pod) =>
      inTurn(uid, async () => {
        for (const volume of pod.spec.volumes.filter(isDataVolume)) {
          const there = await openPath(join(memoryRoot, uid, volume.name), { nofollow: true });
          await there?.close();
          if (there) await makeData(uid, pod, volume);
        }
      }),

    async mounts(pod, container, volumes, variables) {
      const mounted = findContainer(pod.spec, container)?.volumeMounts ?? [];
      return Promise.all(mounted.map((mount) => resolveMount(pod, mount, volumes, variables)));
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

const inNamespace = (objects: ObjectSource, namespace: string): NamespaceObjects => ({
  configMap: (name) => objects.configMap(namespace, name),
  secret: (name) => objects.secret(namespace, name),
});

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
