/**
 * An in-memory runtime, for what the real one cannot be made to do on demand: lose a sandbox at a given step, fail, or
 * exit at a given moment. It checks what every runtime relies on: one sandbox per uid, one live attempt per container.
 */
import assert from 'node:assert/strict';
import type {
  ContainerExit,
  ContainerRecord,
  ContainerSpec,
  ExecResult,
  LinuxResources,
  RunningExec,
  Sandbox,
  SandboxEvent,
  SandboxRuntime,
  SandboxSpec,
} from '../../../src/pods/ports.ts';
import { RuntimeError } from '../../../src/runtime/errors.ts';
import type { FakeTime } from './fake-time.ts';

export class FakeSandbox implements Sandbox {
  readonly uid: string;
  readonly infraPid = 4711;
  readonly startedAt = '2026-01-01T00:00:00.000Z';
  readonly spec: SandboxSpec;
  readonly runtime: FakeRuntime;
  readonly records = new Map<string, ContainerRecord>();
  readonly stops: { container: string; signal: string; graceMs: number }[] = [];
  alive = true;
  /** Limits of the pod this kernel cannot apply. */
  get notes(): string[] {
    return this.runtime.podNotes;
  }
  acked = 0;
  #seq = 0;
  #unacked: SandboxEvent[] = [];
  #listener: ((event: SandboxEvent) => void) | undefined;

  constructor(runtime: FakeRuntime, spec: SandboxSpec) {
    this.runtime = runtime;
    this.uid = spec.uid;
    this.spec = spec;
  }

  containers(): ContainerRecord[] {
    return [...this.records.values()];
  }

  async start({ name, attempt, labels }: ContainerSpec): Promise<ContainerRecord> {
    await this.runtime.pause('start');
    if (!this.alive) throw new RuntimeError({ step: 'start', code: 'ESHIMLOST' });
    const failure = this.runtime.startFailures.get(name);
    if (failure) throw failure;
    assert.equal(this.records.get(name)?.exit === undefined && this.records.has(name), false, `${name} runs already`);
    assert.equal(this.records.has(name), false, `${name} was not removed`);
    this.runtime.started.push(`${this.uid}/${name}/${attempt}`);
    const startedAt = this.runtime.time.now().toISOString();
    const record: ContainerRecord = { name, attempt, pid: 100 + this.runtime.started.length, startedAt, labels };
    this.records.set(name, record);
    const notes = this.runtime.notes.get(name);
    return { ...record, ...(notes && { notes }) };
  }

  async stop(container: string, signal: string, graceMs: number): Promise<void> {
    this.stops.push({ container, signal, graceMs });
    if (graceMs === 0 && this.records.get(container)?.exit === undefined) this.exit(container, 137, 9);
  }

  async remove(container: string): Promise<void> {
    this.records.delete(container);
  }

  async exec(): Promise<ExecResult> {
    const nothing = new Uint8Array();
    return { exitCode: 0, signal: 0, stdout: nothing, stderr: nothing, truncated: false, timedOut: false };
  }

  async stream(): Promise<RunningExec> {
    const output = (async function* (): AsyncGenerator<never> {})();
    return { output, ended: Promise.resolve({ exitCode: 0, signal: 0, timedOut: false }), kill: () => {} };
  }

  readonly updates: { container: string | undefined; resources: LinuxResources }[] = [];
  async update(resources: LinuxResources, container?: string): Promise<void> {
    this.updates.push({ container, resources });
  }

  async destroy(): Promise<void> {
    await this.runtime.pause('destroy');
    const failure = this.runtime.destroyFailures.shift();
    if (failure) throw failure;
    this.alive = false;
    this.runtime.sandboxes.delete(this.uid);
  }

  onEvent(listener: (event: SandboxEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#unacked) listener(event);
  }

  ack(seq: number): void {
    this.acked = Math.max(this.acked, seq);
    this.#unacked = this.#unacked.filter((event) => event.seq > seq);
  }

  /** The agent is gone; events wait for the next one. */
  detach(): void {
    this.#listener = undefined;
  }

  /** The container ends. */
  exit(container: string, exitCode: number, signal = 0, oomKilled = false): void {
    const record = this.records.get(container);
    if (record === undefined || record.exit || !this.alive) return;
    const exit: ContainerExit = {
      exitCode,
      signal,
      oomKilled,
      startedAt: record.startedAt,
      finishedAt: this.runtime.time.now().toISOString(),
    };
    record.exit = exit;
    this.#emit((seq) => ({ seq, type: 'exit', container, attempt: record.attempt, exit }));
  }

  /** The infra process dies and everything with it. */
  lose(reason = 'the infra process ended'): void {
    if (!this.alive) return;
    this.alive = false;
    this.runtime.sandboxes.delete(this.uid);
    this.#emit((seq) => ({ seq, type: 'lost', reason }));
  }

  #emit(make: (seq: number) => SandboxEvent): void {
    this.#seq += 1;
    const event = make(this.#seq);
    this.#unacked.push(event);
    this.#listener?.(event);
  }
}

export class FakeRuntime implements SandboxRuntime {
  readonly time: FakeTime;
  /** uid → the live sandbox. */
  readonly sandboxes = new Map<string, FakeSandbox>();
  readonly created: SandboxSpec[] = [];
  /** `<uid>/<container>/<attempt>` of every start that succeeded. */
  readonly started: string[] = [];
  readonly startFailures = new Map<string, Error>();
  /** Container → limits this kernel cannot apply; and those of the pods. */
  readonly notes = new Map<string, string[]>();
  podNotes: string[] = [];
  readonly createFailures: Error[] = [];
  readonly destroyFailures: Error[] = [];
  lost: Awaited<ReturnType<SandboxRuntime['attachAll']>>['lost'] = [];
  /** Called before an operation takes effect; a test may hold it there. */
  pause: (operation: 'create' | 'start' | 'destroy') => Promise<void> = async () => {};

  constructor(time: FakeTime) {
    this.time = time;
  }

  async create(spec: SandboxSpec): Promise<FakeSandbox> {
    assert.equal(this.sandboxes.has(spec.uid), false, 'a second sandbox for one uid');
    this.created.push(spec);
    await this.pause('create');
    const failure = this.createFailures.shift();
    if (failure) throw failure;
    assert.equal(this.sandboxes.has(spec.uid), false, 'a second sandbox for one uid');
    const sandbox = new FakeSandbox(this, spec);
    this.sandboxes.set(spec.uid, sandbox);
    return sandbox;
  }

  async attachAll(): Promise<{ sandboxes: Sandbox[]; lost: FakeRuntime['lost'] }> {
    const { lost } = this;
    this.lost = [];
    return { sandboxes: [...this.sandboxes.values()], lost };
  }

  /** The only sandbox there is. */
  only(): FakeSandbox {
    assert.equal(this.sandboxes.size, 1);
    return [...this.sandboxes.values()][0] as FakeSandbox;
  }
}
