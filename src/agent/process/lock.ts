/** One agent per data directory: two would write one database and fight over one set of pods. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Addon } from '../../runtime/native.ts';
import { ConfigError } from '../config/config.ts';

/** In the data directory. */
const LOCK_FILE = 'agent.lock';

/** Held until the process ends, however it ends. @throws ConfigError when another agent holds it */
export function lockDataDir(addon: Addon, dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (addon.lockFile(join(dataDir, LOCK_FILE)) < 0)
    throw new ConfigError(
      `the agent of ${dataDir} is running: stop it first; a second one needs a --data-dir and --run-dir of its own`,
    );
}

/** Whether an agent holds it, asked by another process as root. Trying the lock could keep an agent from starting. */
export function isDataDirLocked(dataDir: string): boolean {
  const lock = statSync(join(dataDir, LOCK_FILE), { throwIfNoEntry: false });
  if (!lock) return false;
  // `1: FLOCK ADVISORY WRITE pid major:minor:inode 0 EOF`. The device there is not stat()'s on every file system, so
  // that the process must have the file open as well.
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .some(([, kind, , , pid, file]) => kind === 'FLOCK' && file?.endsWith(`:${lock.ino}`) && hasOpen(pid, lock));
}

function hasOpen(pid: string | undefined, { dev, ino }: { dev: number; ino: number }): boolean {
  const dir = `/proc/${pid}/fd`;
  try {
    return readdirSync(dir).some((fd) => {
      const open = statSync(join(dir, fd), { throwIfNoEntry: false });
      return open?.dev === dev && open.ino === ino;
    });
  } catch {
    return false; // ended meanwhile
  }
}
