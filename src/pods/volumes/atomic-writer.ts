/**
 * Files that change all at once (Kubernetes' AtomicWriter): readers go through a symlink `..data` to a directory that is
 * never changed again, and an update exchanges the symlink.
 *
 *   key -> ..data/key      ..data -> ..2026_05_01_12_00_00.4f1c…/      ..2026_05_01_12_00_00.4f1c…/key
 *
 * Everything is opened below one descriptor of the volume and made anew: nothing that is there is written to, or followed.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from '../files/remove-tree.ts';
import { openPath } from './path-fd.ts';
import type { Payload, PayloadFile } from './payload.ts';

const DATA = '..data';
const NEW_DATA = '..data_tmp';
const DIRECTORY = 0o755;
/** What an fsGroup adds to a file nobody can write to (read), and to a directory (search, and the group for all in it). */
const GROUP_FILE = 0o440;
const GROUP_DIRECTORY = 0o2050;

/** Makes the volume at `root` hold `payload`. False, with nothing written, when it does already. */
export const writeAtomically = async (
  root: string,
  payload: Payload,
  { group, now }: { group?: number | undefined; now: Date },
): Promise<boolean> => {
  const volume = await openPath(root, { nofollow: true });
  if (!volume?.stats.isDirectory()) throw new Error(`${root} is not a directory`);
  try {
    const top = volume.child('.');
    if (await holds(top, payload, group)) return false;
    const stamp = now.toISOString().slice(0, 19).replace(/[-T:]/g, '_');
    const fresh = `..${stamp}.${randomBytes(6).toString('hex')}`;
    await writeFiles(join(top, fresh), payload, group);
    await removeTree(join(top, NEW_DATA));
    await symlink(fresh, join(top, NEW_DATA));
    await rename(join(top, NEW_DATA), join(top, DATA));
    await linkNames(top, payload);
    await removeOld(top, fresh);
    return true;
  } finally {
    await volume.close();
  }
};

const firstNames = (payload: Payload): Set<string> => new Set([...payload.keys()].map((path) => path.split('/')[0]!));

const fileMode = ({ mode }: PayloadFile, group: number | undefined): number =>
  group === undefined ? mode : mode | GROUP_FILE;

const holds = async (top: string, payload: Payload, group: number | undefined): Promise<boolean> => {
  try {
    const data = join(top, await readlink(join(top, DATA)));
    const there = await readdir(data, { recursive: true, withFileTypes: true });
    if (there.filter((entry) => entry.isFile()).length !== payload.size) return false;
    const names = (await readdir(top)).filter((name) => !name.startsWith('..'));
    const wanted = firstNames(payload);
    if (names.length !== wanted.size || names.some((name) => !wanted.has(name))) return false;
    for (const [path, file] of payload) {
      const found = await stat(join(data, path));
      const same = (found.mode & 0o7777) === fileMode(file, group) && found.gid === (group ?? found.gid);
      if (!same || !(await readFile(join(data, path))).equals(file.data)) return false;
    }
    return true;
  } catch (error) {
    if (['ENOENT', 'EINVAL', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
};

const writeFiles = async (target: string, payload: Payload, group: number | undefined): Promise<void> => {
  await makeDirectory(target, group);
  const made = new Set(['.']);
  for (const [path, file] of payload) {
    const steps = dirname(path).split('/');
    for (const index of steps.keys()) {
      const directory = steps.slice(0, index + 1).join('/');
      if (!made.has(directory)) await makeDirectory(join(target, directory), group);
      made.add(directory);
    }
    await writeFile(join(target, path), file, group);
  }
};

const makeDirectory = async (path: string, group: number | undefined): Promise<void> => {
  await mkdir(path, { mode: DIRECTORY });
  if (group !== undefined) await chown(path, 0, group);
  await chmod(path, group === undefined ? DIRECTORY : DIRECTORY | GROUP_DIRECTORY); // whatever the umask left of it
};

const writeFile = async (path: string, file: PayloadFile, group: number | undefined): Promise<void> => {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await handle.writeFile(file.data);
    if (group !== undefined) await handle.chown(0, group);
    await handle.chmod(fileMode(file, group));
  } finally {
    await handle.close();
  }
};

/** Names a reader sees: made after the data they lead to is in place, removed when nothing is behind them any more. */
const linkNames = async (top: string, payload: Payload): Promise<void> => {
  const wanted = firstNames(payload);
  for (const name of await readdir(top)) {
    if (name.startsWith('..')) continue;
    if (!wanted.delete(name)) await unlink(join(top, name));
  }
  for (const name of wanted) await symlink(`${DATA}/${name}`, join(top, name));
};

const removeOld = async (top: string, current: string): Promise<void> => {
  for (const name of await readdir(top)) {
    if (name.startsWith('..') && name !== DATA && name !== current) await removeTree(join(top, name));
  }
};
