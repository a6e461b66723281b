/** hostPath: every type's check, and the two types that create. */

import type { Stats } from 'node:fs';
import { chmod, mkdir, open } from 'node:fs/promises';
import type { HostPathType } from '../../manifest/types/volumes.ts';
import { VolumeError } from './mount-error.ts';
import { openPath } from './path-fd.ts';

interface Check {
  is(stats: Stats): boolean;
  what: string;
}

/** `''` and the creating types accept what the table says; the key is the manifest's word. */
const CHECKS: Record<HostPathType, Check> = {
  '': { is: () => true, what: 'anything' },
  Directory: { is: (stats) => stats.isDirectory(), what: 'a directory' },
  DirectoryOrCreate: { is: (stats) => stats.isDirectory(), what: 'a directory' },
  File: { is: (stats) => stats.isFile(), what: 'a regular file' },
  FileOrCreate: { is: (stats) => stats.isFile(), what: 'a regular file' },
  Socket: { is: (stats) => stats.isSocket(), what: 'a unix socket' },
  CharDevice: { is: (stats) => stats.isCharacterDevice(), what: 'a character device' },
  BlockDevice: { is: (stats) => stats.isBlockDevice(), what: 'a block device' },
};

/**
 * Checks (and creates, where the type says so) a host path.
 * @returns the path of the object that was checked, with every symlink resolved
 * @throws VolumeError E_HOST_PATH when it is missing or of another kind
 */
export const resolveHostPath = async (volume: string, path: string, type: HostPathType): Promise<string> => {
  const refuse = (why: string) =>
    new VolumeError('E_HOST_PATH', { volume, path, why: `hostPath type "${type}": ${why}` });
  const found = (await openPath(path)) ?? (await createHostPath(path, type, refuse));
  if (found === undefined) {
    throw refuse('it does not exist; create it on the device, or use type DirectoryOrCreate or FileOrCreate');
  }
  try {
    const { is, what } = CHECKS[type];
    if (!is(found.stats)) throw refuse(`it is not ${what}, but ${kindOf(found.stats)}`);
    return await found.realPath();
  } finally {
    await found.close();
  }
};

const createHostPath = async (path: string, type: HostPathType, refuse: (why: string) => VolumeError) => {
  try {
    if (type === 'DirectoryOrCreate') {
      const first = await mkdir(path, { recursive: true, mode: 0o755 });
      if (first !== undefined) await chmod(path, 0o755); // whatever the umask left of it
    } else if (type === 'FileOrCreate') {
      // `wx` is O_CREAT|O_EXCL: never through a dangling symlink. The directory must exist, as in Kubernetes.
      const file = await open(path, 'wx', 0o644);
      await file.chmod(0o644);
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Someone else was faster: the check on what is there now decides.
    if (code !== 'EEXIST') throw refuse(`it could not be created: ${message}`);
  }
  return openPath(path);
};

const kindOf = (stats: Stats): string => {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a FIFO';
  return Object.values(CHECKS).find(({ is, what }) => what !== 'anything' && is(stats))?.what ?? 'something else';
};
