/** Removal of directory trees whose contents a container wrote: any depth, any names, any file type. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Removes `path` and all below it; absent is fine. Symlinks are removed, not followed. A tree deeper than PATH_MAX,
 * which a container can make at will, is beyond path names and left to rm(1), which walks by directory descriptors and
 * here does not cross into another file system should a mount have been left behind.
 */
export const removeTree = async (path: string): Promise<void> => {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    await run('rm', ['-rf', '--one-file-system', '--', path]);
  }
};
