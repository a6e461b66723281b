import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * The last `max` bytes of a regular file; nothing of one that is not there, or is no regular file. Synchronous, because
 * what ended and what it said of it are made durable together.
 */
export const readTail = (path: string, max: number): Buffer => {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return Buffer.alloc(0); // removed with the attempt, or never made
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return Buffer.alloc(0);
    const tail = Buffer.alloc(Math.min(max, stat.size));
    return tail.subarray(0, readSync(fd, tail, 0, tail.length, stat.size - tail.length));
  } catch {
    return Buffer.alloc(0); // an unreadable last word is none
  } finally {
    closeSync(fd);
  }
};
