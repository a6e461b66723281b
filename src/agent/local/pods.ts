/**
 * The pods of this board from its own files: what its agent last reported, and the logs on the disk. For commands that
 * work with no broker and while the agent is stopped; changes nothing.
 */
import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Topics } from '../../broker/topics.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { ContainerStatus } from '../../manifest/types/status.ts';
import { logPath } from '../../pods/files/paths.ts';
import { logFiles } from '../../runtime/logs/files.ts';
import type { LogLine } from '../../runtime/logs/line.ts';
import { readLog } from '../../runtime/logs/read.ts';
import { Published, type Reporter } from '../../store/published.ts';
import { type AgentConfig, ConfigError } from '../config/config.ts';
import { isDataDirLocked } from '../process/lock.ts';

export interface LocalLogOptions {
  tail?: number;
  follow: boolean;
  previous: boolean;
  signal: AbortSignal;
}

const LOOK_AGAIN_MS = 1000;

export class LocalPods {
  readonly #dataDir: string;
  readonly #database: string;
  readonly #reporter: Reporter;

  /** @throws ConfigError when no agent has ever run with this data directory, StoreError when it cannot be read */
  constructor(config: AgentConfig) {
    this.#dataDir = config.dataDir;
    this.#database = join(config.dataDir, 'edgepod.db');
    assertReadable(this.#database);
    // Flags and environment of the agent may have said otherwise than the configuration does.
    this.#reporter = this.#read((published) => published.reporter()) ?? config;
  }

  /** Id of this board. */
  get device(): string {
    return this.#reporter.device;
  }

  /** As last reported; of all namespaces when none is given. */
  pods(namespace?: string): { device: string; pod: Pod }[] {
    const topics = new Topics(this.#reporter);
    const bodies = this.#read((published) => published.bodies(topics.podStatuses(namespace)));
    return bodies.map((body) => ({ device: this.device, pod: JSON.parse(body) as Pod }));
  }

  /** Whether an agent holds the data directory now: else what is read here may have ended meanwhile. */
  agentRuns(): boolean {
    return isDataDirLocked(this.#dataDir);
  }

  /**
   * What the container wrote, or undefined when it has not been started (or with `previous`, restarted) yet. With
   * `follow` until the agent says that this run of it has ended, or the signal.
   */
  async log(
    pod: Pod,
    container: string,
    { previous, signal, follow, ...rest }: LocalLogOptions,
  ): Promise<AsyncGenerator<LogLine> | undefined> {
    const { namespace, name, uid = '' } = pod.metadata;
    const status = statusOf(pod, container);
    const newest = status?.restartCount ?? 0;
    const dir = dirname(logPath(this.#reporter, { namespace, name, uid }, container, newest));
    const started = status?.containerID !== undefined || (await logFiles(dir, newest)).length > 0;
    if (previous ? newest === 0 : !started) return undefined;
    if (previous) return readLog({ dir, attempt: newest - 1, signal, ...rest });
    const over = () => this.#hasEnded(pod, container, newest);
    return followed({ dir, attempt: newest, follow, signal, ...rest }, over);
  }

  #hasEnded({ metadata }: Pod, container: string, attempt: number): boolean {
    const now = this.pods(metadata.namespace).find(({ pod }) => pod.metadata.uid === metadata.uid)?.pod;
    const status = now && statusOf(now, container);
    if (status === undefined || status.restartCount > attempt) return true;
    const ends = [status.state.terminated, status.lastState.terminated];
    return ends.some((end) => end?.containerID?.endsWith(`/${attempt}`));
  }

  /** Opened each time: an agent may put another file in its place, and what is held open may be a copy. */
  #read<T>(use: (published: Published) => T): T {
    const published = new Published(this.#database);
    try {
      return use(published);
    } finally {
      published.close();
    }
  }
}

/** A log, followed until `over` says so. */
async function* followed(options: Parameters<typeof readLog>[0], over: () => boolean): AsyncGenerator<LogLine> {
  const read = new AbortController();
  const until = options.follow ? lookUntil(over, read.signal) : Promise.resolve();
  try {
    yield* readLog({ ...options, until });
    if (!options.signal?.aborted) await until; // its error, if it has one
  } finally {
    read.abort();
  }
}

async function lookUntil(over: () => boolean, signal: AbortSignal): Promise<void> {
  do {
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
  } while (!signal.aborted && !over());
}

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
  const all = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
  return all.find(({ name }) => name === container);
}

function assertReadable(database: string): void {
  try {
    accessSync(database, constants.R_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') throw new ConfigError(`${database} is for root only: use sudo`);
    throw new ConfigError(
      `there is no ${database}: no agent has run here yet, or with another data directory (--data-dir, EDGEPOD_DATA_DIR)`,
    );
  }
}
