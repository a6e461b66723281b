/**
 * The reconciler: makes what runs on this node what is desired for it. One worker per pod name, independent of each
 * other; they meet only in admission. Starting finds out what runs and goes on from there; stopping leaves it running.
 */
import { randomUUID } from 'node:crypto';
import type { FieldError } from '../manifest/types/field-error.ts';
import type { Pod } from '../manifest/types/pod.ts';
import { admission, type Refusal } from './admission/admission.ts';
import type { FoundSandbox } from './adoption/adoption.ts';
import { type Matched, match } from './adoption/match.ts';
import { resizeRefusal } from './changes/resize.ts';
import type { PodManagerDeps } from './deps.ts';
import { describePod, type PodDescription } from './describe.ts';
import { EventQueue } from './events/event-queue.ts';
import { Relief } from './eviction/relief.ts';
import { podFiles } from './files/pod-files.ts';
import type { RunningExec, Sandbox, StreamRequest } from './ports.ts';
import { realTimers } from './timers.ts';
import type { DesiredPod, PodRecord } from './types.ts';
import type { ObjectKind } from './volumes/uses.ts';
import type { Incarnation, Parts } from './worker/incarnation.ts';
import { PodWorker } from './worker/worker.ts';

/** The kubelet's log rotation: 10 MiB, 5 files. */
const LOG_LIMITS = { maxBytes: 10 * 1024 * 1024, maxFiles: 5 };

/** A pod or container a caller named that is not there. */
export class NoSuchPodError extends Error {
  readonly code = 'E_NO_SUCH_POD';
}

export class PodManager {
  /** For a node that is short of memory, disk or process ids. */
  readonly relief: Relief;
  readonly #parts: Parts;
  readonly #events: EventQueue;
  /** `<namespace>/<name>` → its worker; a stray has `#<uid>` added. */
  readonly #workers = new Map<string, PodWorker>();
  #idle: (() => void)[] = [];
  #draining = false;
  #starting: Promise<void> = Promise.resolve();
  /** What runs here is known: workers may act. Before, a pod that runs would be begun a second time. */
  #attached = false;

  constructor(deps: PodManagerDeps) {
    this.#parts = {
      timers: realTimers,
      files: podFiles(deps.paths),
      atomically: (run) => run(),
      workingSet: () => undefined,
      logLimits: LOG_LIMITS,
      onAttached: async () => {},
      newUid: randomUUID,
      ...deps,
    };
    this.relief = new Relief(this.#parts, () => [...this.#workers.values()]);
    const { timers, atomically, log } = this.#parts;
    this.#events = new EventQueue({
      record: (event) => deps.recordEvent(event),
      timers,
      atomically,
      onError: (error) => log.warn({ err: error }, 'pod events could not be recorded'),
    });
  }

  /** Attaches to everything that runs, takes up every record, and starts to follow what is desired. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  /** Leaves all pods running and closes: operations under way end, everything learnt is durable. */
  async stop(): Promise<void> {
    await this.#starting.catch(() => {}); // whoever called start() has the error
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    this.#events.flush();
  }

  /** The desired object of this name was stored, changed or marked as deleted. */
  changed(namespace: string, name: string): void {
    this.#worker(namespace, name).accept();
  }

  /** The newest manifest of this name was refused; reported, while what runs goes on. */
  rejected(namespace: string, name: string, errors: FieldError[]): void {
    this.#worker(namespace, name).reject(errors);
  }

  /** Ends a pod that has no tombstone, e.g. on a local command. It is built again if it is still desired. */
  remove(namespace: string, name: string, graceSeconds?: number): void {
    this.#workers.get(`${namespace}/${name}`)?.terminate('Deleted', graceSeconds);
  }

  /** Ends a pod and begins what is desired under its name anew. False, and nothing ends, when nothing is. */
  replace(namespace: string, name: string, graceSeconds?: number): boolean {
    const desired = this.#parts.desired.get(namespace, name);
    if (desired === undefined || desired.deletionTimestamp !== undefined) return false;
    this.#workers.get(`${namespace}/${name}`)?.terminate('Replaced', graceSeconds);
    return true;
  }

  /** A ConfigMap or Secret was stored, changed or deleted: pods that use it look at it again. None is restarted. */
  objectChanged(kind: ObjectKind, namespace: string, name: string): void {
    for (const worker of this.#workers.values()) if (worker.namespace === namespace) worker.objectChanged(kind, name);
  }

  /** Images were added: pods waiting for one need not sit out their back-off. */
  imagesChanged(): void {
    for (const worker of this.#workers.values()) worker.retryImages();
  }

  /** Every pod there is, with its newest status and where its containers' figures and logs are. */
  list(): PodDescription[] {
    return [...this.#workers.values()].flatMap(({ pod }) => (pod ? [describePod(pod)] : []));
  }

  describe(namespace: string, name: string): PodDescription | undefined {
    const pod = this.#workers.get(`${namespace}/${name}`)?.pod;
    return pod && describePod(pod);
  }

  /** Runs a command in a running container. Rejects with NoSuchPodError, or with what the runtime says. */
  async exec(namespace: string, name: string, container: string, request: StreamRequest): Promise<RunningExec> {
    const sandbox = this.#workers.get(`${namespace}/${name}`)?.pod?.sandbox;
    if (sandbox === undefined) throw new NoSuchPodError(`pod ${namespace}/${name} is not running`);
    return sandbox.stream(container, request);
  }

  /**
   * Ends every pod and resolves when nothing of any is left. Desired objects stay: pods come back when an agent starts
   * again. `graceSeconds` shortens each pod's own grace; 0 kills at once.
   */
  async drain(graceSeconds?: number): Promise<void> {
    this.#draining = true; // before all is known: what is desired but does not run is not begun any more
    await this.#starting;
    for (const worker of this.#workers.values()) worker.drain(graceSeconds);
    while (this.list().length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#events.flush();
  }

  async #start(): Promise<void> {
    const { runtime, records, desired, files, clock, node, volumes, leases, log } = this.#parts;
    const { sandboxes, lost } = await runtime.attachAll();
    const found: FoundSandbox[] = [
      ...sandboxes.map((sandbox) => ({
        uid: sandbox.uid,
        alive: true,
        spec: sandbox.spec,
        containers: sandbox.containers(),
      })),
      ...lost.map(({ uid, spec, exits }) => ({ uid, alive: false, spec, containers: exits })),
    ];
    const now = { wall: clock.now().toISOString(), mono: clock.monotonicMs(), bootId: node.bootId };
    const { pods, unmanaged } = match({
      records: records.list(),
      found,
      desired: desired.list(),
      tried: files.wasTried,
      now,
    });
    for (const uid of unmanaged) log.warn({ uid }, 'a sandbox of an unknown kind runs here; it is left alone');
    const known = new Set([...pods.map(({ record }) => record.uid), ...unmanaged]);
    leases.keepOnly?.(known);
    await volumes
      .sweep(known)
      .catch((error: unknown) => log.warn({ err: error }, 'files of unknown pods could not be removed'));
    await this.#parts
      .onAttached(sandboxes.map(({ uid }) => uid))
      .catch((error: unknown) => log.warn({ err: error }, 'leftovers could not be removed'));
    const alive = new Map(sandboxes.map((sandbox) => [sandbox.uid, sandbox]));
    for (const pod of pods) this.#adopt(pod, alive.get(pod.record.uid));
    this.#attached = true;
    for (const { namespace, name } of desired.list()) this.#worker(namespace, name);
    for (const worker of this.#workers.values()) worker.wake();
  }

  #adopt({ record, restored, stray }: Matched, sandbox: Sandbox | undefined): void {
    const { namespace, name, uid } = record;
    const worker = stray ? this.#strayWorker(namespace, name, uid) : this.#worker(namespace, name);
    if (sandbox) this.#claimLeases(uid, { ip: record.ip, firstUser: sandbox.spec.firstUser });
    worker.adopt(record, { sandbox, restored });
    if (stray) worker.terminate('Replaced');
    else if (restored && this.#parts.desired.get(namespace, name) === undefined) {
      worker.event(
        'Warning',
        'OrphanedPod',
        'The pod runs, but nothing here knows what is desired; it is kept running.',
      );
    }
  }

  #claimLeases(uid: string, { ip, firstUser }: { ip: string | undefined; firstUser: number | undefined }): void {
    const { leases, log } = this.#parts;
    try {
      if (ip !== undefined) leases.claim?.(uid, ip);
      if (firstUser !== undefined) leases.users?.claim(uid, firstUser);
    } catch (error) {
      log.error({ err: error, uid, ip, firstUser }, 'what a running pod holds could not be leased to it');
    }
  }

  #worker(namespace: string, name: string): PodWorker {
    const key = `${namespace}/${name}`;
    return this.#workers.get(key) ?? this.#newWorker(key, namespace, name, this.#parts);
  }

  /** Follows nothing and reports nothing: it only ends what it was given. */
  #strayWorker(namespace: string, name: string, uid: string): PodWorker {
    const silent = { publishStatus: () => {}, clearStatus: () => {}, clearDesired: () => {} };
    const blind = { desired: { list: () => [], get: () => undefined } };
    return this.#newWorker(`${namespace}/${name}#${uid}`, namespace, name, { ...this.#parts, ...silent, ...blind });
  }

  #newWorker(key: string, namespace: string, name: string, parts: Parts): PodWorker {
    const worker = new PodWorker({
      parts,
      namespace,
      name,
      admit: (desired) => this.#refusal(desired),
      admitResize: (pod, desired) => this.#resizeRefusal(pod, desired),
      emit: (event) => this.#events.push(event),
      recordWarnings: () => this.#events.flushWarnings(),
      mayAct: () => this.#attached,
      onGone: () => {
        for (const other of this.#workers.values()) if (other.isWaiting) other.wake();
      },
      onIdle: () => {
        if (worker.isIdle) this.#workers.delete(key);
        for (const resolve of this.#idle.splice(0)) resolve();
        for (const other of this.#workers.values()) if (other.pod?.record.resize) other.wake();
      },
    });
    this.#workers.set(key, worker);
    if (this.#draining) worker.drain();
    return worker;
  }

  /** Pods that hold something of the node: all that have not ended. */
  #holders(): PodRecord[] {
    const holds = (pod: Incarnation | undefined): pod is Incarnation => pod !== undefined && !pod.record.outcome;
    const pods = [...this.#workers.values()].map(({ pod }) => pod);
    return pods.filter(holds).map(({ record }) => record);
  }

  #refusal(desired: DesiredPod): Refusal | undefined {
    const { allocatable, listening, pressures, appArmor } = this.#parts.node;
    const holders = this.#holders();
    return admission(desired.pod, {
      admitted: holders.map(({ pod }) => pod),
      leaving: holders.filter(({ deleting }) => deleting !== undefined).map(({ pod }) => pod),
      allocatable: allocatable(),
      ...(listening && { listening }),
      ...(appArmor && { appArmor }),
      ...(pressures && { pressures: pressures() }),
    });
  }

  #resizeRefusal(current: Pod, desired: DesiredPod) {
    const others = this.#holders().flatMap(({ pod }) => (pod === current ? [] : [pod]));
    return resizeRefusal(current, desired.pod, { others, allocatable: this.#parts.node.allocatable() });
  }
}
