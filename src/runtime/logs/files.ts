/** The files of one container attempt: `<n>.log` and its rotated predecessors `<n>.log.20060102-150405[.001]`. */

import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors.ts';

const BLOCK = 64 * 1024;

/** Absolute paths, oldest first, the one being written last. Names sort by age. */
export async function logFiles(dir: string, attempt: number): Promise<string[]> {
  const current = `${attempt}.log`;
  const names = await readdir(dir).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const rotated = names.filter(
    (name) => name.startsWith(`${current}.`) && /^[0-9.-]+$/.test(name.slice(current.length)),
  );
  return [...rotated.sort(), ...names.filter((name) => name === current)].map((name) => join(dir, name));
}

/** Attempts that have a log, ascending. */
export async function logAttempts(dir: string): Promise<number[]> {
  const names = await readdir(dir).catch(() => []);
  const attempts = names.flatMap((name) => /^(\d+)\.log(\.|$)/.exec(name)?.slice(1, 2).map(Number) ?? []);
  return [...new Set(attempts)].sort((a, b) => a - b);
}

/** Undefined when rotation or the pod's end took it meanwhile. Never follows a symlink a container may have planted. */
export async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Where the last `lines` lines begin, read backwards in blocks; rotated files count. A part of a long line counts as a
 * line, as for the kubelet.
 * @returns index into `paths` and offset
 */
export async function tailStart(paths: string[], lines: number): Promise<{ index: number; offset: number }> {
  let wanted = lines;
  for (let index = paths.length - 1; index >= 0; index -= 1) {
    const file = await openLog(paths[index] as string);
    if (!file) continue;
    try {
      const { offset, found } = await tailOfFile(file, wanted);
      if (found >= wanted) return { index, offset };
      wanted -= found;
    } finally {
      await file.close();
    }
  }
  return { index: 0, offset: 0 };
}

async function tailOfFile(file: FileHandle, lines: number): Promise<{ offset: number; found: number }> {
  const { size } = await file.stat();
  if (lines === 0) return { offset: size, found: 0 };
  const block = Buffer.alloc(BLOCK);
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    for (
      let at = block.subarray(0, bytesRead).lastIndexOf(10);
      at >= 0;
      at = at === 0 ? -1 : block.lastIndexOf(10, at - 1)
    ) {
      // The newline at the very end closes the last line; any other one ends the line before it.
      if (start + at === size - 1) continue;
      found += 1;
      if (found === lines) return { offset: start + at + 1, found };
    }
    end = start;
  }
  return { offset: 0, found: size > 0 ? found + 1 : 0 };
}
