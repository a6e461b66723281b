import { closeSync, copyFileSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Connection, guard } from './connection.ts';
import { sizeOf, syncDirectory, syncFile } from './files.ts';

/** Backups kept, newest first: `<path>.bak1`, `<path>.bak2`. */
const KEPT = 2;

function backupName(path: string, age: number): string {
  return `${path}.bak${age}`;
}

/** The backups there are of the database at `path`, newest first. */
export function listBackups(path: string): string[] {
  return Array.from({ length: KEPT }, (_, i) => backupName(path, i + 1)).filter((name) => sizeOf(name) > 0);
}

/**
 * Writes a compact copy of an open database beside it and makes it the newest backup. A power cut at any step leaves the
 * older backups complete: the copy becomes visible by rename, after fsync. Returns its path; throws StoreError.
 */
export function writeBackup(connection: Connection): string {
  const { path } = connection;
  const partial = `${path}.bak.tmp`;
  return guard('write a backup', () => {
    rmSync(partial, { force: true });
    // Created first, so that the copy has the mode of the original: VACUUM INTO accepts an empty file.
    closeSync(openSync(partial, 'wx', 0o600));
    try {
      connection.exec(`VACUUM INTO '${partial.replaceAll("'", "''")}'`);
      syncFile(partial);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    for (let age = KEPT - 1; age >= 1; age--) {
      if (sizeOf(backupName(path, age)) > 0) renameSync(backupName(path, age), backupName(path, age + 1));
    }
    renameSync(partial, backupName(path, 1));
    syncDirectory(dirname(path));
    return backupName(path, 1);
  });
}

/** Puts a copy of `backup` at `path`, complete or not at all. The backup itself stays: the restored file may break too. */
export function restoreBackup(backup: string, path: string): void {
  const partial = `${path}.restore.tmp`;
  guard(`restore ${backup}`, () => {
    copyFileSync(backup, partial);
    syncFile(partial);
    renameSync(partial, path);
    syncDirectory(dirname(path));
  });
}
