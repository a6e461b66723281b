/**
 * subPath: a directory or file inside a volume. A container can write into its volumes, so a link in one may lead
 * anywhere (CVE-2017-1002101) and may be put there at any moment (CVE-2021-25741). What counts is the runner's own
 * resolution: below a descriptor of the volume, which nothing leads out of, at the moment of the mount. The check here
 * only finds, in time for a message, what the runner would not mount.
 */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { VolumeError } from './mount-error.ts';

/**
 * @returns the path inside the volume as the runner is to resolve it
 * @throws VolumeError E_SUB_PATH when it leaves the volume, by its words or through a link
 */
export const checkSubPath = async (volume: string, root: string, subPath: string): Promise<string> => {
  const refuse = (why: string) => new VolumeError('E_SUB_PATH', { volume, path: subPath, why: `subPath: ${why}` });
  const components = subPath.split('/').filter((component) => component !== '' && component !== '.');
  if (subPath.startsWith('/') || components.includes('..')) throw refuse('must stay inside the volume');
  const top = await realpath(root).catch(() => undefined);
  if (top === undefined) throw refuse('the volume is gone');
  // The deepest part that exists: what is missing below it becomes directories.
  for (let length = components.length; length > 0; length--) {
    const found = await realIfAny(join(top, ...components.slice(0, length)));
    if (found === undefined) continue;
    if (found !== top && !found.startsWith(`${top}/`)) throw refuse('a symbolic link leads outside the volume');
    break;
  }
  return components.join('/');
};

const realIfAny = async (path: string): Promise<string | undefined> => {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
    throw error;
  }
};
