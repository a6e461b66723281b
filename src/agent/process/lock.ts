/** One agent per data directory: two would write one database and fight over one set of pods. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Addon } from '../../runtime/native.ts';
import { ConfigError } from '../config/config.ts';

/** In the data directory. */
export const LOCK_FILE = 'agent.lock';

/** Held until the process ends, however it ends. @throws ConfigError when another agent holds it */
export function lockDataDir(addon: Addon, dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (addon.lockFile(join(dataDir, LOCK_FILE)) < 0)
    throw new ConfigError(
      `the agent of ${dataDir} is running: stop it first; a second one needs a --data-dir and --run-dir of its own`,
    );
}
