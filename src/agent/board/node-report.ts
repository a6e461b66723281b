/** Publishes what the board is and how it is; written to the outbox only when something in it changed. */
import type { Logger } from 'pino';
import type { Topics } from '../../broker/topics.ts';
import { supportedFields } from '../../manifest/fields.ts';
import { LIMITS } from '../../manifest/limits.ts';
import { type NodeCondition, nodeConditions } from '../../node/conditions.ts';
import { type BoardFacts, diskFigures } from '../../node/facts.ts';
import { nodeObject } from '../../node/node-object.ts';
import type { PressureCondition } from '../../node/pressure.ts';
import type { Features } from '../../runtime/features.ts';
import type { OutboxTable } from '../../store/outbox.ts';
import { VERSION } from '../process/version.ts';
import { clockNotes, deviceImageNotes } from './board-notes.ts';
import { missingFeatures } from './missing-features.ts';

interface NodeReportOptions {
  topics: Topics;
  outbox: OutboxTable;
  /** What is known at once. */
  facts: BoardFacts;
  /** Finds out the rest; it may take a while. */
  findFacts: (signal: AbortSignal) => Promise<BoardFacts>;
  features: Features;
  dataDir: string;
  hostIp: () => string | undefined;
  /** Why pods have no way out and no published ports. */
  networkFault: () => Error | undefined;
  allocatable: () => { cpuMilli: number; memoryBytes: number; storageBytes: number; pods: number };
  /** What the board is under. */
  pressures: () => readonly PressureCondition[];
  clock: { now(): Date };
  log: Pick<Logger, 'warn'>;
}

const INTERVAL_MS = 30_000;

export class NodeReport {
  #options: NodeReportOptions;
  #facts: BoardFacts;
  #conditions: NodeCondition[] = [];
  #notes = deviceImageNotes();
  #timer: NodeJS.Timeout | undefined;
  readonly #stopped = new AbortController();

  constructor(options: NodeReportOptions) {
    this.#options = options;
    this.#facts = options.facts;
  }

  /** Publishes at once with the quick facts, and again when the rest is found. */
  start(): void {
    this.publish();
    this.#timer = setInterval(() => this.publish(), INTERVAL_MS);
    const { signal } = this.#stopped;
    this.#options.findFacts(signal).then(
      (facts) => {
        if (signal.aborted) return;
        this.#facts = facts;
        this.publish();
      },
      (error: unknown) => {
        if (!signal.aborted) this.#options.log.warn({ err: error }, 'board facts could not be read');
      },
    );
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  /** Never throws: a disk that is full or failing is what most needs an agent that stays. The next look tries again. */
  publish(): void {
    try {
      this.#publish();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the state of the node could not be published; trying again');
    }
  }

  #publish(): void {
    const { topics, outbox, features, dataDir, hostIp, networkFault, allocatable, pressures, clock } = this.#options;
    const disk = diskFigures(dataDir);
    this.#conditions = nodeConditions(
      {
        pressures: pressures(),
        missing: missingFeatures(features),
        notes: [...this.#notes, ...clockNotes(clock.now())],
        networkFault: networkFault()?.message,
      },
      this.#conditions,
      clock.now().toISOString(),
    );
    const body = nodeObject({
      device: topics.device,
      groups: topics.groups,
      agentVersion: VERSION,
      facts: this.#facts,
      disk,
      hostIp: hostIp(),
      allocatable: allocatable(),
      conditions: this.#conditions,
      supported: { podFields: supportedFields(), manifestBytes: LIMITS.manifestBytes },
    });
    outbox.putRetained(topics.node, JSON.stringify(body));
  }
}
