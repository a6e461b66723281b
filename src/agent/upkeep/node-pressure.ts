/**
 * Looks at what the board is short of and does something about it, as the kubelet's eviction manager does: first what
 * nobody needs goes, then one pod. Nothing is written and nobody is told while there is enough of everything.
 */
import type { Logger } from 'pino';
import type { DiskFigures } from '../../node/facts.ts';
import {
  HeldPressures,
  type PressureCondition,
  type PressureFloors,
  type PressureReadings,
  type Shortage,
  shortages,
} from '../../node/pressure.ts';
import type { Relief } from '../../pods/eviction/relief.ts';
import type { TreeUsage } from '../../pods/eviction/storage-check.ts';
import type { StatsReader } from '../../runtime/stats.ts';
import { pidLimit, pidsFree } from '../board/pids-free.ts';

interface NodePressureOptions {
  stats: Pick<StatsReader, 'readGroups'>;
  disk: () => DiskFigures;
  treeUsage: TreeUsage;
  floors: PressureFloors;
  relief: () => Pick<Relief, 'evictOne' | 'isRunning' | 'removeDeadContainers'>;
  removeUnusedImages: () => Promise<void>;
  /** The pressures the node is under are others than before. */
  onChange: () => void;
  /** Something is to be taken from pods. */
  tell: (reason: string, message: string) => void;
  monotonicMs: () => number;
  log: Logger;
}

/** How long the next pod is spared while an evicted one still runs. */
const CLEANUP_MS = 30_000;

export class NodePressure {
  readonly #options: NodePressureOptions;
  readonly #held = new HeldPressures();
  #conditions: PressureCondition[];
  readonly #told = new Set<PressureCondition>();
  #evicted: { uid: string; at: number } | undefined;

  constructor(options: NodePressureOptions) {
    this.#options = options;
    this.#conditions = this.#held.at(options.monotonicMs(), this.#shortages());
  }

  /** What the node is under, or was minutes ago. */
  get conditions(): readonly PressureCondition[] {
    return this.#conditions;
  }

  /** To be called every ten seconds, never twice at a time. Rejects when pods could not be measured. */
  async look(): Promise<void> {
    const { onChange, monotonicMs, log } = this.#options;
    const found = this.#shortages();
    const before = this.#conditions;
    this.#conditions = this.#held.at(monotonicMs(), found);
    if (this.#conditions.join() !== before.join()) onChange();
    // Once for each time the condition begins, which is held: a board at the edge would tell every few seconds.
    for (const news of found.filter(({ condition }) => !this.#told.has(condition))) {
      this.#told.add(news.condition);
      log.warn({ event: 'node.pressure', ...news }, 'the board is short of something');
      this.#tell('EvictionThresholdMet', `Attempting to reclaim ${news.resource}`);
    }
    for (const condition of this.#told) if (!this.#conditions.includes(condition)) this.#told.delete(condition);
    const [shortage] = found;
    if (shortage === undefined || this.#isCleaningUp() || (await this.#reclaimed(shortage))) return;
    await this.#evict(shortage);
  }

  /** An event is a write, which a full disk refuses: nothing less is done about the disk for that. */
  #tell(reason: string, message: string): void {
    const { tell, log } = this.#options;
    try {
      tell(reason, message);
    } catch (error) {
      log.warn({ err: error, reason }, 'an event about the node could not be recorded');
    }
  }

  async #evict(shortage: Shortage): Promise<void> {
    const { relief, stats, treeUsage, monotonicMs, log } = this.#options;
    const groups = (cgroups: string[]) =>
      stats.readGroups(cgroups).groups.map(({ memory, pids }) => ({
        workingSet: memory.workingSet ?? Number.NaN,
        processes: pids ?? Number.NaN,
      }));
    const uid = await relief().evictOne(shortage, { groups, treeUsage });
    if (uid === undefined) return;
    this.#evicted = { uid, at: monotonicMs() };
    log.warn({ event: 'pod.evicted', uid, ...shortage }, 'a pod was ended for what the board is short of');
  }

  #isCleaningUp(): boolean {
    const { relief, monotonicMs } = this.#options;
    if (this.#evicted === undefined) return false;
    const { uid, at } = this.#evicted;
    if (monotonicMs() - at < CLEANUP_MS && relief().isRunning(uid)) return true;
    this.#evicted = undefined;
    return false;
  }

  /** Whether there was something nobody needs, and now there is enough. */
  async #reclaimed({ condition }: Shortage): Promise<boolean> {
    if (condition !== 'DiskPressure') return false;
    const { relief, removeUnusedImages, log } = this.#options;
    for (const free of [() => relief().removeDeadContainers(), removeUnusedImages])
      await free().catch((error: unknown) => log.warn({ err: error }, 'disk could not be freed'));
    return !this.#shortages().some((shortage) => shortage.condition === condition);
  }

  #shortages(): Shortage[] {
    const { stats, disk, floors } = this.#options;
    const { total, available } = stats.readGroups([]).node.memory;
    const { availableBytes, capacityBytes, inodesFree, inodes } = disk();
    const readings: PressureReadings = {
      memoryAvailable: available ?? Number.POSITIVE_INFINITY,
      memoryCapacity: total ?? 0,
      diskAvailable: availableBytes,
      diskCapacity: capacityBytes,
      inodesFree,
      inodes,
      pidsFree: pidsFree(),
      pids: pidLimit(),
    };
    return shortages(readings, floors);
  }
}
