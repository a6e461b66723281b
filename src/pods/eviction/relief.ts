/** What can be done with pods for a node that is short of something. */

import { dropDeadAttempts } from '../operations/clean.ts';
import type { PodRecord } from '../types.ts';
import type { Parts } from '../worker/incarnation.ts';
import type { PodWorker } from '../worker/worker.ts';
import type { Starved } from './message.ts';
import { type NeededImages, neededImages } from './needed-images.ts';
import { storageExcess, type TreeUsage } from './storage-check.ts';
import { findVictim, type Measures } from './victim.ts';

export class Relief {
  readonly #parts: Parts;
  readonly #workers: () => PodWorker[];

  constructor(parts: Parts, workers: () => PodWorker[]) {
    this.#parts = parts;
    this.#workers = workers;
  }

  /**
   * Evicts pods that keep more on the disk than their limits allow. Rejects when one could not be measured, once all the
   * others have been: what a pod does to its own files must not shield its neighbours.
   */
  async checkStorage(treeUsage: TreeUsage): Promise<void> {
    const failures: unknown[] = [];
    for (const worker of this.#workers()) {
      const record = worker.pod?.record;
      if (record === undefined || !isEvictable(record)) continue;
      try {
        const excess = await storageExcess(record, { paths: this.#parts.paths, treeUsage });
        if (excess !== undefined) worker.evict(record.uid, excess);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /**
   * Ends the running pod that has to go first for what the node is short of, and returns its uid; undefined when there is
   * none. Rejects when pods could not be measured.
   */
  async evictOne(starved: Starved, measures: Measures): Promise<string | undefined> {
    const { paths, cgroupRoot } = this.#parts;
    const workers = this.#workers().filter(({ pod }) => pod?.sandbox && isEvictable(pod.record));
    const records = workers.flatMap(({ pod }) => pod?.record ?? []);
    const victim = await findVictim(records, starved, { measures, paths, cgroupRoot });
    if (victim === undefined) return undefined;
    for (const worker of workers) worker.evict(victim.uid, victim.message, { forNode: true });
    return victim.uid;
  }

  /** Whether something of the pod still runs. */
  isRunning(uid: string): boolean {
    return this.#workers().some(({ pod }) => pod?.record.uid === uid && pod.sandbox !== undefined);
  }

  /** Removes what containers that have ended left in the pods' directories; what is told about them stays. */
  async removeDeadContainers(): Promise<void> {
    const pods = this.#workers().flatMap(({ pod }) => pod ?? []);
    await Promise.all(pods.map((pod) => dropDeadAttempts(pod)));
  }

  /** What must stay of the images: for pods that run and for those that are desired and have not begun. */
  neededImages(): NeededImages {
    const desired = this.#parts.desired.list().filter(({ deletionTimestamp }) => deletionTimestamp === undefined);
    const records = this.#workers().flatMap(({ pod }) => pod?.record ?? []);
    return neededImages({ desired, records });
  }
}

/** It has not ended and is not about to. */
const isEvictable = ({ outcome, deleting, evicted }: PodRecord): boolean => !(outcome || deleting || evicted);
