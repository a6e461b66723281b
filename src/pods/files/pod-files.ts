/** The pod's own files on disk: identity files, overlay directories, and their removal. Thin I/O. */
import { constants, existsSync } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PodRecord } from '../types.ts';
import {
  containerDir,
  identityPaths,
  logPath,
  overlayPaths,
  type Paths,
  podDir,
  podLogDir,
  terminationLogPath,
} from './paths.ts';
import { readTail } from './read-tail.ts';
import { removeTree } from './remove-tree.ts';

/** Contents of the files every container finds in /etc. */
export interface IdentityFiles {
  hosts: string;
  hostname: string;
  resolvConf: string;
}

/** Read only when asked for. */
export interface LastWords {
  message(): Buffer;
  /** CRI lines; the first may be cut. */
  log(): Buffer;
}

const MAX_MESSAGE = 4096;
/** Holds 80 lines of what is shown of a log in any case. */
const MAX_LOG_TAIL = 16 * 1024;

/** What the worker needs of the disk. */
export interface PodFiles {
  /** Writes hosts, hostname and resolv.conf, 0644; in place, so that files already bind-mounted change too. */
  writeIdentity(uid: string, files: IdentityFiles): Promise<void>;
  /** Empty upper and work directories and termination message for one attempt, and the directory of its log. */
  prepareAttempt(record: PodRecord, container: string, attempt: number): Promise<{ upper: string; work: string }>;
  /** Whether the runner began the attempt: its log is there, which is opened before a process is made. Synchronous. */
  wasTried(record: PodRecord, container: string, attempt: number): boolean;
  /** What the attempt left as its last word, and the end of its log: at most so many bytes of each. Synchronous. */
  lastWords(record: PodRecord, container: string, attempt: number): LastWords;
  /** Removes the overlay directories of every other attempt of the container. */
  dropOldAttempts(uid: string, container: string, keep: number): Promise<void>;
  /** Removes all but the logs. */
  removeData(uid: string): Promise<void>;
  removeLogs(record: PodRecord): Promise<void>;
}

export const podFiles = (paths: Paths): PodFiles => ({
  async writeIdentity(uid, files) {
    const target = identityPaths(paths, uid);
    await mkdir(dirname(target.hosts), { recursive: true, mode: 0o755 });
    await Promise.all([
      writeFile(target.hosts, files.hosts),
      writeFile(target.hostname, files.hostname),
      writeFile(target.resolvConf, files.resolvConf),
    ]);
  },

  async prepareAttempt(record, container, attempt) {
    const overlay = overlayPaths(paths, record.uid, container, attempt);
    const logs = join(podLogDir(paths, record), container);
    // The upper directory's mode becomes that of the container's `/`, which every user must be able to search.
    await Promise.all([makeOverlay(overlay), mkdir(logs, { recursive: true, mode: 0o750 })]);
    await makeTerminationLog(terminationLogPath(paths, record.uid, container, attempt));
    return overlay;
  },

  async dropOldAttempts(uid, container, keep) {
    const dir = containerDir(paths, uid, container);
    const attempts = await readdir(dir).catch(() => []);
    await Promise.all(attempts.filter((name) => name !== String(keep)).map((name) => removeTree(join(dir, name))));
  },

  wasTried: (record, container, attempt) => existsSync(logPath(paths, record, container, attempt)),

  lastWords: (record, container, attempt) => ({
    message: () => readTail(terminationLogPath(paths, record.uid, container, attempt), MAX_MESSAGE),
    log: () => readTail(logPath(paths, record, container, attempt), MAX_LOG_TAIL),
  }),

  removeData: (uid) => removeTree(podDir(paths, uid)),
  removeLogs: (record) => removeTree(podLogDir(paths, record)),
});

const makeOverlay = async ({ upper, work }: { upper: string; work: string }): Promise<void> => {
  // An attempt that could not be started is tried again under its number: its directories must be empty again.
  await removeTree(dirname(upper));
  await mkdir(upper, { recursive: true, mode: 0o755 });
  await mkdir(work, { mode: 0o755 });
};

/** Whatever user the container runs as may write it. */
const makeTerminationLog = async (path: string): Promise<void> => {
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o666,
  );
  try {
    await file.chmod(0o666);
  } finally {
    await file.close();
  }
};

/** O_NOFOLLOW: a container with its pod directory in reach cannot have us write through a symlink of its making. */
const writeFile = async (path: string, content: string): Promise<void> => {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
  try {
    await file.chmod(0o644);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
};
