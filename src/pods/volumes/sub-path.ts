/**
 * subPath: a directory or file inside a volume. A container can write into its volumes, so every component is opened
 * below the one before and none may be a symlink (CVE-2017-1002101: a symlink in a volume mounted the host's root).
 *
 * What is checked here is then handed to the runner as a path, so that a container already running on the same volume
 * could still swap a component in between; the runner closes that gap by resolving bind sources itself.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { VolumeError } from './mount-error.ts';
import { openPath, type PathFd } from './path-fd.ts';

/**
 * The real path of `subPath` inside the volume at `root`; missing directories are created with the volume's own mode.
 * @throws VolumeError E_SUB_PATH when it leaves the volume or a component is a symlink or not a directory
 */
export const resolveSubPath = async (volume: string, root: string, subPath: string): Promise<string> => {
  const refuse = (why: string) => new VolumeError('E_SUB_PATH', { volume, path: subPath, why: `subPath: ${why}` });
  const components = subPath.split('/').filter((component) => component !== '' && component !== '.');
  if (subPath.startsWith('/') || components.includes('..')) throw refuse('must stay inside the volume');
  const top = await openPath(root);
  if (top === undefined) throw refuse('the volume is gone');
  const mode = top.stats.mode & 0o7777;
  let current = top;
  try {
    for (const component of components) {
      if (!current.stats.isDirectory()) throw refuse(`what comes before "${component}" is not a directory`);
      const next = await openOrCreate(current, component, mode);
      await current.close();
      current = next;
      if (current.stats.isSymbolicLink()) throw refuse(`"${component}" is a symbolic link, which is not followed`);
    }
    return await current.realPath();
  } finally {
    await current.close();
  }
};

const openOrCreate = async (directory: PathFd, component: string, mode: number): Promise<PathFd> => {
  const path = directory.child(component);
  const existing = await openPath(path, { nofollow: true });
  if (existing) return existing;
  await mkdir(path, { mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const created = await openPath(path, { nofollow: true });
  if (created === undefined) throw new Error(`${component} vanished while it was made`);
  // Through the descriptor of what was opened: whatever the umask left of the mode, and never through a symlink.
  if (created.stats.isDirectory()) await chmod(created.child('.'), mode);
  return created;
};
