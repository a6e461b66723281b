/** One volume of a pod, made where it belongs. Thin I/O. */
import { join } from 'node:path';
import type { PodFacts } from '../../manifest/downward.ts';
import type { NamespaceObjects } from '../../manifest/env-sources.ts';
import { effectiveLimit } from '../../manifest/requests.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { Volume } from '../../manifest/types/volumes.ts';
import { type Paths, volumeDir } from '../files/paths.ts';
import type { ImageSource, ObjectSource } from '../ports.ts';
import { makeDataVolume } from './data-volume.ts';
import { makeDiskDir, makeMemoryDir, type TmpfsMounts, tmpfsSize } from './empty-dir.ts';
import { resolveHostPath } from './host-path.ts';
import { type LayerMounts, makeImageVolume } from './image-volume.ts';
import { isDataVolume, volumePayload } from './payload.ts';

/** What only native code does: mounts, and ownership of a tree a container may be changing. */
export interface VolumeSystem extends TmpfsMounts, LayerMounts {
  setTreeGroup(path: string, group: number, onlyOnMismatch: boolean): Promise<void>;
}

export interface VolumeMakerOptions {
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

export interface VolumeMaker {
  /** Makes or checks any volume and says where it is; idempotent. Rejects with VolumeError, SetUpError or an errno. */
  make(uid: string, pod: Pod, volume: Volume): Promise<string>;
  /** Brings a volume of files (see `isDataVolume`) up to date. Rejects as `make`. */
  makeData(uid: string, pod: Pod, volume: Volume): Promise<string>;
}

/** Mount points of all pods. Not below the sandbox's run directory: a sandbox comes and goes while its pod's volumes stay. */
export const memoryRoot = (paths: Paths): string => join(paths.runDir, 'pods-volumes');

export const volumeMaker = (options: VolumeMakerOptions): VolumeMaker => {
  const { paths, system, objects, images, allocatableMemory, nodeFacts, now } = options;
  const mountPoint = (uid: string, name: string) => join(memoryRoot(paths), uid, name);

  const makeData = (uid: string, pod: Pod, volume: Volume): Promise<string> => {
    const payload = volumePayload(volume, {
      pod,
      objects: inNamespace(objects, pod.metadata.namespace),
      facts: { ...nodeFacts(), uid },
    });
    const group = pod.spec.securityContext?.fsGroup;
    return makeDataVolume({ path: mountPoint(uid, volume.name), payload, group, mounts: system, now: now() });
  };

  const makeEmptyDir = async (uid: string, pod: Pod, { name, emptyDir }: Volume): Promise<string> => {
    const size = () => tmpfsSize(emptyDir?.sizeLimit, effectiveLimit(pod).memoryBytes, allocatableMemory());
    const path =
      emptyDir?.medium === 'Memory'
        ? await makeMemoryDir(mountPoint(uid, name), size(), system)
        : await makeDiskDir(join(volumeDir(paths, uid), name));
    const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    if (fsGroup !== undefined) await system.setTreeGroup(path, fsGroup, fsGroupChangePolicy === 'OnRootMismatch');
    return path;
  };

  const make = async (uid: string, pod: Pod, volume: Volume): Promise<string> => {
    const { name, hostPath, image } = volume;
    if (hostPath) return resolveHostPath(name, hostPath.path, hostPath.type);
    if (image) return makeImageVolume({ name, image, path: mountPoint(uid, name), images, mounts: system });
    return isDataVolume(volume) ? makeData(uid, pod, volume) : makeEmptyDir(uid, pod, volume);
  };

  return { make, makeData };
};

const inNamespace = (objects: ObjectSource, namespace: string): NamespaceObjects => ({
  configMap: (name) => objects.configMap(namespace, name),
  secret: (name) => objects.secret(namespace, name),
});
