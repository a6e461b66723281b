/** emptyDir, on the disk or in memory. Idempotent: a pod that is rebuilt finds its files again. */
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseUnits } from '../../manifest/quantity.ts';

/** Everybody may write, as in Kubernetes, whatever the umask; in memory nobody removes what is another's. */
const DISK_MODE = 0o777;
const MEMORY_MODE = 0o1777;

export interface TmpfsMounts {
  /** A tmpfs with `size=` and `mode=`, nosuid and nodev; never swapped out where the kernel can (6.4). */
  mountTmpfs(path: string, options: { sizeBytes: number; mode: number }): Promise<void>;
  /** Detaches; not mounted is fine. */
  unmount(path: string): Promise<void>;
}

export const makeDiskDir = async (path: string): Promise<string> => {
  await mkdir(path, { recursive: true });
  await chmod(path, DISK_MODE);
  return path;
};

export const makeMemoryDir = async (path: string, sizeBytes: number, mounts: TmpfsMounts): Promise<string> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (!(await isMountPoint(path))) await mounts.mountTmpfs(path, { sizeBytes, mode: MEMORY_MODE });
  return path;
};

/** min(allocatable, the pod's memory limit, sizeLimit), in bytes; an absent or zero limit does not count. */
export const tmpfsSize = (
  sizeLimit: string | undefined,
  podMemoryLimit: number | undefined,
  allocatable: number,
): number => {
  const limits = [allocatable, podMemoryLimit, sizeLimit === undefined ? undefined : Number(parseUnits(sizeLimit))];
  return Math.min(...(limits.filter((limit) => limit !== undefined && limit > 0) as number[]));
};

/** A directory on another file system than its parent. */
export const isMountPoint = async (path: string): Promise<boolean> => {
  const [own, parent] = await Promise.all([lstat(path), lstat(dirname(path))]);
  return own.dev !== parent.dev;
};
