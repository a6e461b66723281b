/**
 * Opening a path once and asking the descriptor: what was checked is what is used. Components are opened below an open
 * directory through /proc/self/fd, which is `openat` for a runtime that has none.
 */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';

/** Linux O_PATH; not among Node's constants. A descriptor for the place only: opens no device, wakes no FIFO. */
const O_PATH = 0o10000000;

export interface PathFd {
  readonly stats: Stats;
  /** Where the open object is now, free of symlinks. */
  realPath(): Promise<string>;
  /** The path by which to reach a component directly below an open directory. */
  child(component: string): string;
  close(): Promise<void>;
}

/** Opens without following a symlink in the last component if `nofollow`. Undefined if there is nothing. */
export const openPath = async (path: string, { nofollow = false } = {}): Promise<PathFd | undefined> => {
  let handle: FileHandle;
  try {
    handle = await open(path, O_PATH | (nofollow ? constants.O_NOFOLLOW : 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const self = `/proc/self/fd/${handle.fd}`;
    return {
      stats: await handle.stat(),
      realPath: () => readlink(self),
      child: (component) => `${self}/${component}`,
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
};
