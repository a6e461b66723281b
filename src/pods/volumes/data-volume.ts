/** configMap, secret, downwardAPI and projected volumes: files of the agent's making, in memory and never on the flash. */
import { chmod, chown, mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAtomically } from './atomic-writer.ts';
import { isMountPoint, type TmpfsMounts } from './empty-dir.ts';
import type { Payload } from './payload.ts';

/** Linux TMPFS_MAGIC. */
const TMPFS = 0x01021994;
/** Two objects of 1 MiB, old and new at once, several in a projected volume. */
const MAX_BYTES = 16 * 2 ** 20;

interface DataVolume {
  path: string;
  payload: Payload;
  group?: number | undefined;
  mounts: TmpfsMounts;
  now: Date;
}

/** Makes the volume, or brings it up to date: readers see all of the old files or all of the new ones. */
export const makeDataVolume = async ({ path, payload, group, mounts, now }: DataVolume): Promise<string> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
  // The run directory lies on a tmpfs wherever an init system made it; elsewhere the volume brings its own.
  const inMemory = (await statfs(dirname(path))).type === TMPFS;
  if (!inMemory && !(await isMountPoint(path))) await mounts.mountTmpfs(path, { sizeBytes: MAX_BYTES, mode: 0o755 });
  if (group !== undefined) await chown(path, 0, group);
  await chmod(path, group === undefined ? 0o755 : 0o2775);
  await writeAtomically(path, payload, { group, now });
  return path;
};
