/**
 * A file of variables in an emptyDir. Containers write there as they like, so every component is opened below the one
 * before it and no link is followed (CVE-2017-1002101); what is no plain file is not read, and only so much of it.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { EnvSourceError } from '../../manifest/env-sources.ts';

const MAX_BYTES = 256 * 1024;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/**
 * @param root of the volume on the node
 * @param path relative, without `..`
 * @returns undefined when there is nothing
 * @throws EnvSourceError for a link, a directory, a pipe, or a file of more than 256 KiB
 */
export const readEnvFile = (root: string, path: string): string | undefined => {
  const refuse = (why: string) => new EnvSourceError(`file "${path}" ${why}`);
  const components = path.split('/').filter((part) => part !== '' && part !== '.');
  let fd = openSync(root, O_RDONLY | O_DIRECTORY);
  try {
    for (const [i, component] of components.entries()) {
      // Not blocking: a pipe nobody writes to would hold the agent for ever.
      const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (i < components.length - 1 ? O_DIRECTORY : 0);
      const next = openSync(`/proc/self/fd/${fd}/${component}`, flags);
      closeSync(fd);
      fd = next;
    }
    const { size } = fstatSync(fd);
    if (!fstatSync(fd).isFile()) throw refuse('is no file');
    if (size > MAX_BYTES) throw refuse(`has ${size} bytes, at most ${MAX_BYTES} are read`);
    const buffer = Buffer.alloc(MAX_BYTES);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, MAX_BYTES, 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENOTDIR')
      throw refuse('is behind a link or in no directory: links are not followed');
    throw error;
  } finally {
    closeSync(fd);
  }
};
