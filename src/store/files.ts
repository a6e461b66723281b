import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** SQLite's companions of a database file. They belong to exactly that file and move or go with it. */
const COMPANIONS = ['-wal', '-shm'] as const;

/** How many damaged files are kept for a look: the card is small. */
const SET_ASIDE_KEPT = 2;

/** Makes a rename or a new name in `directory` survive a power cut. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function syncFile(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Size of a file in bytes, or -1 where there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

/** Removes a database file together with its companions; no error where there is none. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', ...COMPANIONS]) rmSync(`${path}${suffix}`, { force: true });
}

/** Renames a damaged database (and its WAL, which may still hold something) out of the way; returns the new name. */
export function setAside(path: string, at: Date): string {
  const stamp = at.toISOString().replace(/[:.]/g, '-');
  let target = `${path}.corrupt-${stamp}`;
  for (let attempt = 1; existsSync(target); attempt++) target = `${path}.corrupt-${stamp}-${attempt}`;
  renameSync(path, target);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${target}-wal`);
  rmSync(`${path}-shm`, { force: true });
  dropOldSetAsides(path);
  syncDirectory(dirname(path));
  return target;
}

function dropOldSetAsides(path: string): void {
  const directory = dirname(path);
  const prefix = `${basename(path)}.corrupt-`;
  const names = readdirSync(directory).filter((name) => name.startsWith(prefix) && !name.endsWith('-wal'));
  // By time of change and not by name: the clock in the name may have been wrong at boot.
  const newestFirst = names
    .map((name) => ({ name, changed: statSync(join(directory, name)).ctimeMs }))
    .sort((a, b) => b.changed - a.changed);
  for (const { name } of newestFirst.slice(SET_ASIDE_KEPT)) removeDatabase(join(directory, name));
}
