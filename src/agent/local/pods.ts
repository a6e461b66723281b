/**
 * The pods of this board from its own files: what its agent last reported, and the logs on the disk. For commands that
 * work with no broker and while the agent is stopped; changes nothing.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Topics } from '../../broker/topics.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { logPath } from '../../pods/files/paths.ts';
import { logAttempts } from '../../runtime/logs/files.ts';
import type { LogLine } from '../../runtime/logs/line.ts';
import { readLog } from '../../runtime/logs/read.ts';
import { Published } from '../../store/published.ts';
import { type AgentConfig, ConfigError } from '../config/config.ts';
import { LOCK_FILE } from '../process/lock.ts';

export interface LocalLogOptions {
  tail?: number;
  follow: boolean;
  previous: boolean;
  signal: AbortSignal;
}

const LOOK_AGAIN_MS = 1000;

export class LocalPods {
  readonly #config: AgentConfig;
  readonly #topics: Topics;
  readonly #published: Published;

  /** @throws ConfigError when no agent has ever run with this data directory, StoreError when it cannot be read */
  constructor(config: AgentConfig) {
    const database = join(config.dataDir, 'edgepod.db');
    if (!existsSync(database))
      throw new ConfigError(`there is no ${database}: no agent has run here yet, or with another --data-dir`);
    this.#config = config;
    this.#published = new Published(database);
    // Its flags may have named the board otherwise than the configuration does.
    this.#topics = new Topics(this.#published.reportedAs() ?? config);
  }

  /** Id of this board. */
  get device(): string {
    return this.#topics.device;
  }

  /** As last reported, by namespace and name; of all namespaces when none is given. */
  pods(namespace?: string): { device: string; pod: Pod }[] {
    const bodies = this.#published.bodies(this.#topics.podStatuses(namespace));
    return bodies.map((body) => ({ device: this.device, pod: JSON.parse(body) as Pod }));
  }

  /** Whether an agent holds the data directory now: else what is read here may have ended meanwhile. */
  agentRuns(): boolean {
    const lock = join(this.#config.dataDir, LOCK_FILE);
    if (!existsSync(lock)) return false;
    // By inode alone: the device number there is not that of stat() on every file system. Trying the lock could keep an
    // agent from starting.
    const { ino } = statSync(lock);
    const held = readFileSync('/proc/locks', 'utf8').split('\n');
    return held.some((line) => /\bFLOCK\b/.test(line) && line.split(/\s+/)[5]?.endsWith(`:${ino}`));
  }

  /** Whether there is a log of the container, or of its run before the last restart. */
  async hasLog(pod: Pod, container: string, { previous }: Pick<LocalLogOptions, 'previous'>): Promise<boolean> {
    const newest = (await logAttempts(this.#logDir(pod, container))).at(-1);
    return newest !== undefined && (!previous || newest > 0);
  }

  /** With `follow` until the pod ends, or its container as it is now, or by the signal. */
  async *log(pod: Pod, container: string, { follow, signal, ...rest }: LocalLogOptions): AsyncGenerator<LogLine> {
    const done = new AbortController();
    const ended = follow ? { until: this.#whenOver(pod, container, done.signal) } : {};
    try {
      yield* readLog({ dir: this.#logDir(pod, container), follow, signal, ...rest, ...ended });
    } finally {
      done.abort();
    }
  }

  close(): void {
    this.#published.close();
  }

  #logDir(pod: Pod, container: string): string {
    const { namespace, name, uid = '' } = pod.metadata;
    return dirname(logPath(this.#config, { namespace, name, uid }, container, 0));
  }

  /** Resolves when the agent has reported that what runs in this container now does not run any more. */
  async #whenOver({ metadata, status }: Pod, container: string, signal: AbortSignal): Promise<void> {
    let now = status;
    const running = runningIn(status, container);
    while (!signal.aborted && running !== undefined && runningIn(now, container) === running) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      now = this.pods(metadata.namespace).find(({ pod }) => pod.metadata.uid === metadata.uid)?.pod.status;
    }
  }
}

/** Which run of the container runs; undefined when none does. */
function runningIn(status: Pod['status'], container: string): string | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
  const all = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
  const found = all.find(({ name }) => name === container);
  return found?.state.running && found.containerID;
}
