/**
 * One worker per pod name: follows what is desired, plans, performs, reports. INVARIANTS:
 *  - `#tick` never awaits; operations run beside it and wake it, so that a delete is seen at once during any wait;
 *  - at most one incarnation exists; the next begins when nothing of the last is left;
 *  - a status goes out after the state it shows, and the record is durable before events are acknowledged.
 */
import type { FieldError } from '../../manifest/types/field-error.ts';
import { changeOf, newRecord } from '../changes/change.ts';
import { ephemeralErrors } from '../changes/ephemeral.ts';
import { EventFilter } from '../events/event-filter.ts';
import { lookAgainAt, mayReturn } from '../eviction/return.ts';
import { evict } from '../operations/evict.ts';
import { addLastWords } from '../operations/last-words.ts';
import { perform } from '../operations/perform.ts';
import { refreshVolumes } from '../operations/refresh.ts';
import { retryForImages, retryForObjects } from '../operations/retry.ts';
import { attach } from '../operations/sandbox.ts';
import { hasten, terminate } from '../operations/terminate.ts';
import { resizeOrPostpone, updateInPlace } from '../operations/update.ts';
import { plan } from '../plan/plan.ts';
import type { Sandbox } from '../ports.ts';
import { recallHealth } from '../probes/health.ts';
import { stopWatching, watchProbes } from '../probes/watch.ts';
import { publishedPod, rejectedStatus, waitingPod } from '../status/pod-status.ts';
import type { DesiredPod, PodEvent, PodRecord, Termination } from '../types.ts';
import { type ObjectKind, usesObject } from '../volumes/uses.ts';
import { Incarnation, type Parts } from './incarnation.ts';
import type { WorkerOptions } from './options.ts';
import { StatusPublisher } from './publisher.ts';

export class PodWorker {
  readonly namespace: string;
  readonly name: string;
  readonly #options: WorkerOptions;
  readonly #parts: Parts;
  readonly #publisher: StatusPublisher;
  readonly #events: EventFilter;
  #pod: Incarnation | undefined;
  /** What is desired, as read last; reading validates a manifest, which is too much for every tick. */
  #desired: DesiredPod | undefined;
  #desiredIsStale = true;
  #rejected: FieldError[] | undefined;
  #scheduled = false;
  #stopped = false;
  /** No new incarnation is begun any more. */
  #draining = false;
  #cancelWake: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    const { parts, namespace, name } = options;
    this.namespace = namespace;
    this.name = name;
    this.#options = options;
    this.#parts = parts;
    this.#events = new EventFilter(parts.clock.monotonicMs());
    this.#publisher = new StatusPublisher({
      publish: (pod) => parts.publishStatus(pod),
      onError: (error) => parts.log.error({ err: error, namespace, name }, 'pod status could not be published'),
      timers: parts.timers,
    });
  }

  /** The incarnation that exists now. */
  get pod(): Incarnation | undefined {
    return this.#pod;
  }

  /** Whether there is nothing left to look after: no pod, none wanted, no refusal to show. */
  get isIdle(): boolean {
    return this.#pod === undefined && this.#desired === undefined && this.#rejected === undefined;
  }

  /** A pod is wanted and has not been begun: others have to go first. */
  get isWaiting(): boolean {
    return this.#pod === undefined && this.#desired !== undefined;
  }

  /** Continues a pod that was known or, `restored`, only found running: then there must be a record of it again. */
  adopt(record: PodRecord, { sandbox, restored }: { sandbox: Sandbox | undefined; restored: boolean }): void {
    this.#pod = this.#incarnation(record);
    addLastWords(this.#pod);
    if (sandbox) attach(this.#pod, sandbox);
    recallHealth(this.#pod.state);
    refreshVolumes(this.#pod);
    if (restored) this.#pod.saver.markUrgent();
    else this.#pod.saver.mark();
    this.wake();
  }

  /** Something changed: plan again, once for all that changed in the same turn of the event loop. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      try {
        this.#tick();
      } catch (error) {
        const { namespace, name } = this;
        this.#parts.log.error({ err: error, namespace, name }, 'pod could not be synchronised; trying again');
        this.#wakeIn(10_000);
      }
    });
  }

  /** The newest manifest under this name was refused. What runs goes on and is reported with the errors. */
  reject(errors: FieldError[]): void {
    this.#rejected = errors;
    this.wake();
  }

  /** A good manifest, or a tombstone, has come since. */
  accept(): void {
    this.#rejected = undefined;
    this.#desiredIsStale = true;
    this.wake();
  }

  /** Ends the pod whatever is desired. */
  terminate(reason: Termination['reason'], graceSeconds?: number): void {
    if (this.#pod) terminate(this.#pod, reason, graceSeconds);
    this.wake();
  }

  /** The pod is to end: see `evict`. */
  evict(uid: string, message: string, options: { forNode?: boolean } = {}): void {
    if (this.#pod?.record.uid === uid) evict(this.#pod, message, options);
  }

  /** Ends the pod and begins no other. `graceSeconds` 0 kills at once. */
  drain(graceSeconds?: number): void {
    this.#draining = true;
    this.terminate('Drained', graceSeconds);
    if (this.#pod && graceSeconds !== undefined) hasten(this.#pod, graceSeconds);
  }

  /** A ConfigMap or Secret came, changed or went: volumes follow, and what waited for it is tried again now. */
  objectChanged(kind: ObjectKind, name: string): void {
    const pod = this.#pod;
    if (pod === undefined || !usesObject(pod.record.pod, kind, name)) return;
    retryForObjects(pod);
    pod.prepared.clear();
    refreshVolumes(pod);
    this.wake();
  }

  /** Images came in: what waits for one asks again now. */
  retryImages(): void {
    if (this.#pod) retryForImages(this.#pod);
    this.wake();
  }

  event(type: PodEvent['type'], reason: string, message: string): void {
    this.#pod?.event(type, reason, message);
  }

  /** Leaves the pod running and lets go: operations under way end, what was learnt is saved. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWake?.();
    if (this.#pod) stopWatching(this.#pod);
    await this.#pod?.settled();
    this.#pod?.saver.flush({ all: true });
    this.#pod?.saver.discard();
    this.#publisher.flush();
    this.#publisher.clear();
  }

  #tick(): void {
    if (this.#stopped || !this.#options.mayAct()) return;
    this.#cancelWake?.();
    const desired = this.#readDesired();
    if (this.#pod?.gone) this.#ended(desired);
    if (this.#pod) this.#follow(this.#pod, desired);
    else if (desired) this.#begin(desired);
    const pod = this.#pod;
    if (pod === undefined) {
      if (this.#rejected) this.#publisher.offer(rejectedStatus(this.namespace, this.name, this.#rejected));
      this.#options.onIdle();
      return;
    }
    const now = pod.now();
    const { actions, wakeAt } = plan(pod.state, now);
    for (const action of actions) perform(pod, action);
    watchProbes(pod);
    this.#report(pod);
    pod.saver.flush();
    const due = Math.min(wakeAt ?? Number.POSITIVE_INFINITY, lookAgainAt(pod.record, now));
    if (Number.isFinite(due)) this.#wakeIn(due - now);
  }

  #begin(desired: DesiredPod): void {
    if (desired.deletionTimestamp !== undefined) {
      this.#tombstoneDone(desired);
      return;
    }
    if (this.#draining) return;
    const { clock, node, newUid } = this.#parts;
    const record = newRecord(desired, {
      uid: newUid(),
      bootId: node.bootId,
      now: clock.now(),
      mono: clock.monotonicMs(),
    });
    const refused = this.#options.admit(desired);
    if (refused?.passing) {
      this.#publisher.offer(waitingPod(desired, refused.outcome.message ?? ''));
      return;
    }
    const outcome = refused?.outcome;
    this.#pod = this.#incarnation(outcome ? { ...record, outcome } : record);
    if (outcome) {
      this.#pod.event('Warning', outcome.reason ?? 'Failed', outcome.message ?? '');
      this.#pod.saver.markUrgent();
    } else this.#pod.saver.mark();
  }

  #follow(pod: Incarnation, desired: DesiredPod | undefined): void {
    if (desired === undefined || this.#draining) return;
    const change = changeOf(pod.record, desired);
    if (change === 'delete') {
      terminate(pod, 'Deleted', desired.pod.metadata.deletionGracePeriodSeconds);
    } else if (change === 'replace') terminate(pod, 'Replaced');
    else if (pod.record.deleting) return;
    else if (change === 'resize') resizeOrPostpone(pod, desired, this.#options.admitResize(pod.record.pod, desired));
    else if (change === 'update') updateInPlace(pod, desired);
    else if (mayReturn(pod.record, this.#parts.node.pressures?.() ?? [], pod.now())) {
      terminate(pod, 'Replaced');
    }
  }

  /** Nothing of the incarnation is left; what is desired under its name, a tombstone included, is looked at next. */
  #ended(desired: DesiredPod | undefined): void {
    if (this.#pod) stopWatching(this.#pod);
    // Before the pod is forgotten: where the store refuses, the next tick comes here again.
    if (desired === undefined && !this.#draining) this.#clearStatus();
    this.#pod = undefined;
    this.#options.onGone();
  }

  #readDesired(): DesiredPod | undefined {
    if (this.#desiredIsStale) {
      this.#desired = this.#parts.desired.get(this.namespace, this.name);
      this.#desiredIsStale = false;
    }
    return this.#desired;
  }

  #tombstoneDone(tombstone: DesiredPod): void {
    this.#clearStatus();
    this.#parts.clearDesired(tombstone);
    this.#desired = undefined;
  }

  #clearStatus(): void {
    this.#publisher.clear();
    this.#parts.clearStatus(this.namespace, this.name);
  }

  #report(pod: Incarnation): void {
    const { clock, node } = this.#parts;
    const errors = this.#rejected ?? ephemeralErrors(pod.record, this.#desired);
    const published = publishedPod(pod.state, { hostIP: node.hostIP(), now: clock.now(), errors });
    const { conditions } = published.status;
    if (JSON.stringify(conditions) !== JSON.stringify(pod.record.conditions)) {
      pod.record = { ...pod.record, conditions };
      pod.saver.mark();
    }
    this.#publisher.offer(published);
  }

  #incarnation(record: PodRecord): Incarnation {
    return new Incarnation({
      parts: this.#parts,
      record,
      wake: () => this.wake(),
      emit: (event) => {
        const passed = this.#events.pass(event, this.#parts.clock.monotonicMs());
        if (passed) this.#options.emit(passed);
      },
      recordWarnings: this.#options.recordWarnings,
    });
  }

  #wakeIn(ms: number): void {
    this.#cancelWake?.();
    this.#cancelWake = this.#parts.timers.after(Math.max(0, ms), () => this.wake());
  }
}
