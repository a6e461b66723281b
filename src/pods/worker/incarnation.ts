/**
 * One incarnation of a pod (one uid): its state, the handles that belong to it, and the small services its operations
 * share. Operations change the state only in synchronous stretches and then `wake` the worker.
 */
import type { Moment } from '../adoption/adoption.ts';
import type { PodManagerDeps } from '../deps.ts';
import type { Happening } from '../events/event-filter.ts';
import type { PodFiles } from '../files/pod-files.ts';
import type { Preparation } from '../operations/container-spec.ts';
import type { Sandbox } from '../ports.ts';
import { historyOf, newState, type PodState } from '../state.ts';
import type { Timers } from '../timers.ts';
import type { ContainerHistory, PodEvent, PodRecord } from '../types.ts';
import type { VolumePaths } from '../volumes/volume-host.ts';
import { RecordSaver } from './saver.ts';

/** The manager's dependencies with the optional ones filled in. */
export type Parts = Required<PodManagerDeps> & { timers: Timers; files: PodFiles };

export interface IncarnationOptions {
  parts: Parts;
  record: PodRecord;
  /** Plan again soon. */
  wake: () => void;
  emit: (event: Happening) => void;
  /** Called in the transaction that writes the record. */
  recordWarnings: () => void;
}

export class Incarnation {
  readonly parts: Parts;
  readonly state: PodState;
  readonly saver: RecordSaver;
  readonly wake: () => void;
  sandbox: Sandbox | undefined;
  volumePaths: VolumePaths = {};
  /** By container: what was made for its next start while the sandbox was being built. */
  readonly prepared = new Map<string, Preparation>();
  /** `<container>/<attempt>/<probe>` → the watch that runs. */
  readonly watches = new Map<string, { stop(): void }>();
  /** Nothing of it is left; what still comes back from operations is to be ignored. */
  gone = false;
  readonly #emit: IncarnationOptions['emit'];
  readonly #operations = new Set<Promise<void>>();

  constructor({ parts, record, wake, emit, recordWarnings }: IncarnationOptions) {
    this.parts = parts;
    this.state = newState(record);
    this.wake = wake;
    this.#emit = emit;
    this.saver = new RecordSaver({
      timers: parts.timers,
      write: () =>
        parts.atomically(() => {
          parts.records.put({ ...this.state.record, savedMono: this.now() });
          recordWarnings();
        }),
      onError: (error) => parts.log.error({ err: error, uid: record.uid }, 'pod record could not be written'),
    });
  }

  get record(): PodRecord {
    return this.state.record;
  }

  set record(record: PodRecord) {
    this.state.record = record;
  }

  now(): number {
    return this.parts.clock.monotonicMs();
  }

  moment(): Moment {
    const { clock, node } = this.parts;
    return { wall: clock.now().toISOString(), mono: clock.monotonicMs(), bootId: node.bootId };
  }

  /** Replaces one container's history and marks the record as changed. */
  change(container: string, change: (history: ContainerHistory) => ContainerHistory): void {
    const before = historyOf(this.record, container);
    const after = change(before);
    if (after === before) return;
    this.record = { ...this.record, containers: { ...this.record.containers, [container]: after } };
    this.saver.mark();
  }

  /** `about`: the container, if it is about one; and the series it belongs to (see EventFilter). */
  event(
    type: PodEvent['type'],
    reason: string,
    message: string,
    about?: string | { container: string; series: string },
  ): void {
    const { namespace, name, uid } = this.record;
    const part = typeof about === 'string' ? { container: about } : about;
    this.#emit({ type, reason, message, pod: { namespace, name, uid }, ...part });
  }

  /**
   * Runs one asynchronous operation; it must handle its own failures, what escapes is a bug and is logged as one.
   * `abandonable`: nobody has to wait for it before the agent stops (an image pull may take an hour).
   */
  operate(operation: () => Promise<void>, { abandonable = false } = {}): void {
    const { log } = this.parts;
    const settled = operation()
      .catch((error: unknown) => log.error({ err: error, uid: this.record.uid }, 'pod operation failed unexpectedly'))
      .finally(() => {
        this.#operations.delete(settled);
        this.wake();
      });
    if (!abandonable) this.#operations.add(settled);
  }

  /** Resolves when every operation under way has ended. */
  async settled(): Promise<void> {
    while (this.#operations.size > 0) await Promise.all(this.#operations);
  }
}
