/**
 * One pod sandbox, seen from the agent: its shim behind the `Sandbox` port.
 *
 * INVARIANTS
 * - Events reach the listener in order of `seq` and once each, whatever happens to the connection.
 * - When the shim is dead the exits it left on disk come first, then one `lost`; nothing after that.
 */
import type {
  ContainerRecord,
  ContainerSpec,
  ExecRequest,
  ExecResult,
  LinuxResources,
  RunningExec,
  Sandbox,
  SandboxEvent,
  SandboxSpec,
  StreamRequest,
} from '../pods/ports.ts';
import { hasCode } from './errors.ts';
import { type Attached, streamExec } from './exec-stream.ts';
import type { Addon } from './native.ts';
import type { SandboxDir } from './sandbox-dir.ts';
import { ShimClient } from './shim-client.ts';

/** What `hello` answers. */
export interface Hello {
  protocol: number;
  pid: number;
  version: string;
  infra: { pid: number; startedAt: string; notes?: string[] };
  containers: ContainerRecord[];
  lastSeq: number;
}

export interface SandboxParts {
  addon: Addon;
  dir: SandboxDir;
  spec: SandboxSpec;
  /** The pod's control group. */
  cgroup: string;
  /** Takes the pod off the network; called at the end, may be called twice. */
  detachNetwork(): Promise<void>;
  /** The sandbox has been removed. */
  onDestroyed(): void;
}

/** The shim keeps at most this much of each stream of a captured exec. */
const MAX_CAPTURE = 16 * 1024;
/** Killing everything and removing the cgroups; then the agent does it itself. */
const SHUTDOWN_TIMEOUT_MS = 10_000;
/** A connection that broke may have been replaced (a second agent) or the shim killed: ask before calling it lost. */
const RECONNECT_DELAYS_MS = [20, 200];

export class ShimSandbox implements Sandbox {
  readonly #parts: SandboxParts;
  readonly #records = new Map<string, ContainerRecord>();
  #client: ShimClient | undefined;
  #hello: Hello | undefined;
  #listener: ((event: SandboxEvent) => void) | undefined;
  /** Arrived before there was a listener. */
  readonly #waiting: SandboxEvent[] = [];
  #lastSeq = 0;
  #lost = false;
  #detached = false;
  #destroying: Promise<void> | undefined;

  constructor(parts: SandboxParts) {
    this.#parts = parts;
  }

  get uid(): string {
    return this.#parts.spec.uid;
  }
  get spec(): SandboxSpec {
    return this.#parts.spec;
  }
  get cgroup(): string {
    return this.#parts.cgroup;
  }
  get infraPid(): number {
    return this.#hello?.infra.pid ?? 0;
  }
  get startedAt(): string {
    return this.#hello?.infra.startedAt ?? '';
  }
  get notes(): readonly string[] {
    return this.#hello?.infra.notes ?? [];
  }
  /** For measuring the shim itself. */
  get shimPid(): number {
    return this.#hello?.pid ?? 0;
  }

  containers(): ContainerRecord[] {
    return [...this.#records.values()];
  }

  /** Connects to the shim and learns what it runs. @throws RuntimeError when no shim answers. */
  async connect(timeoutMs = 5_000): Promise<void> {
    const { addon, dir } = this.#parts;
    const client = new ShimClient(addon, dir.socket, this.uid, {
      onEvent: (event) => this.#receive(event),
      onClose: (reason) => void this.#connectionEnded(reason),
    });
    this.#client = client;
    try {
      const hello = await client.request<Hello>('hello', {}, { timeoutMs });
      this.#hello = hello;
      this.#records.clear();
      for (const record of hello.containers) this.#records.set(record.name, record);
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Leaves the shim and the pod running, for an agent that stops. */
  detach(): void {
    this.#detached = true;
    this.#client?.close();
  }

  async start(container: ContainerSpec): Promise<ContainerRecord> {
    const { name, attempt, log, labels, pidTarget } = container;
    const { dir } = this.#parts;
    const bundle = await dir.writeBundle(container);
    try {
      const started = await this.#request<Pick<ContainerRecord, 'pid' | 'startedAt' | 'user' | 'notes'>>(
        'start',
        { name, attempt, bundle, log, labels, ...(pidTarget !== undefined && { pidTarget }) },
        60_000,
      );
      const known = this.#records.get(name);
      // A short-lived process may have ended before this line: its exit event has made the record already.
      const record: ContainerRecord =
        known?.attempt === attempt ? { ...known, ...started, labels } : { name, attempt, ...started, labels };
      this.#records.set(name, record);
      return record;
    } catch (error) {
      // A start that was not answered may yet succeed: its bundle has to stay.
      if (!hasCode(error, 'ETIMEDOUT', 'ESHIMLOST')) await dir.removeBundle(name, attempt);
      throw error;
    }
  }

  async stop(name: string, signal: string, graceMs: number): Promise<void> {
    await this.#request('stop', { name, signal, graceMs });
  }

  /** Sends a signal to the container's init process, with no consequence of its own. */
  async signal(name: string, signal: string): Promise<void> {
    await this.#request('signal', { name, signal });
  }

  async remove(name: string): Promise<void> {
    const record = this.#records.get(name);
    await this.#request('remove', { name });
    this.#records.delete(name);
    if (record) await this.#parts.dir.removeBundle(name, record.attempt);
  }

  /** Changes limits in place; of the pod itself without a container. */
  async update(resources: LinuxResources, name?: string): Promise<void> {
    await this.#request('update', { ...(name === undefined ? {} : { name }), resources });
  }

  /** Captured execution. More than 16 KiB a stream is never kept: use `attach` for that. */
  async exec(name: string, { args, env, cwd, timeoutMs, maxOutput }: ExecRequest): Promise<ExecResult> {
    const params = { name, args, env, cwd, timeoutMs, maxOutput: Math.min(maxOutput, MAX_CAPTURE) };
    // The shim kills the process at the timeout; the rest is for its answer to arrive.
    const patience = timeoutMs === 0 ? 0x7fffffff : Math.min(timeoutMs + 10_000, 0x7fffffff);
    const answer = await this.#request<Omit<ExecResult, 'stdout' | 'stderr'> & { stdout: string; stderr: string }>(
      'exec',
      params,
      patience,
    );
    return { ...answer, stdout: Buffer.from(answer.stdout, 'base64'), stderr: Buffer.from(answer.stderr, 'base64') };
  }

  /**
   * Runs a process on the caller's own descriptors (stdin, stdout, stderr; they stay the caller's to close). It is killed
   * when the connection to the shim ends.
   * @returns its pid as the node sees it, and a promise of its end
   */
  async attach(
    name: string,
    { args, env, cwd, timeoutMs }: Omit<ExecRequest, 'maxOutput'>,
    fds: readonly [number, number, number],
  ): Promise<Attached> {
    const client = this.#connected();
    const { execId, pid } = await client.request<{ execId: number; pid: number }>(
      'exec',
      { name, args, env, cwd, timeoutMs },
      { fds: [...fds] },
    );
    // Not delivered: the connection ended, and with it the process.
    const kill = () => void client.request('killExec', { execId }).catch(() => {});
    return { pid, ended: client.execExit(execId), kill };
  }

  stream(name: string, request: StreamRequest): Promise<RunningExec> {
    return streamExec(this.#parts.addon, request, (fds) => this.attach(name, request, fds));
  }

  destroy(): Promise<void> {
    this.#destroying ??= this.#destroy().catch((error: unknown) => {
      this.#destroying = undefined; // the next call tries again
      throw error;
    });
    return this.#destroying;
  }

  onEvent(listener: (event: SandboxEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#waiting.splice(0)) listener(event);
  }

  ack(seq: number): void {
    if (this.#lost || this.#destroying) return;
    // Not answered in time or connection gone: the shim sends the event again and #receive drops it.
    this.#client?.request('ack', { seq }).catch(() => {});
  }

  #connected(): ShimClient {
    if (!this.#client) throw new Error('sandbox is not connected');
    return this.#client;
  }

  async #request<T>(method: string, params: object, timeoutMs?: number): Promise<T> {
    return this.#connected().request<T>(method, params, timeoutMs === undefined ? {} : { timeoutMs });
  }

  #receive(event: SandboxEvent): void {
    if (event.seq <= this.#lastSeq || this.#lost) return;
    this.#lastSeq = event.seq;
    if (event.type === 'exit') this.#recordExit(event);
    if (event.type === 'lost') this.#lost = true;
    if (this.#listener) this.#listener(event);
    else this.#waiting.push(event);
  }

  #recordExit({ container: name, attempt, exit }: SandboxEvent & { type: 'exit' }): void {
    const known = this.#records.get(name);
    if (known && known.attempt > attempt) return; // a replayed exit of an older attempt
    const record =
      known?.attempt === attempt ? known : { name, attempt, pid: 0, startedAt: exit.startedAt, labels: {} };
    this.#records.set(name, { ...record, exit });
  }

  async #connectionEnded(reason: string): Promise<void> {
    for (const delay of RECONNECT_DELAYS_MS) {
      if (this.#detached || this.#destroying || this.#lost) return;
      await new Promise((resolve) => setTimeout(resolve, delay));
      try {
        await this.connect();
        return;
      } catch (error) {
        if (hasCode(error, 'ECONNREFUSED', 'ENOENT')) break; // nobody listens: the shim is dead for certain
      }
    }
    if (!this.#detached && !this.#destroying && !this.#lost) await this.#shimDied(reason);
  }

  /** PDEATHSIG has killed the pod's processes with their shim; make sure, and tell what is known. */
  async #shimDied(reason: string): Promise<void> {
    const { addon, dir, cgroup } = this.#parts;
    await addon.destroyCgroup(cgroup).catch(() => {}); // destroy() will say so if it cannot
    for (const { name, attempt, exit } of await dir.exits()) {
      const known = this.#records.get(name);
      if (exit && (!known || known.attempt < attempt || (known.attempt === attempt && !known.exit)))
        this.#receive({ seq: this.#lastSeq + 1, type: 'exit', container: name, attempt, exit });
    }
    this.#receive({ seq: this.#lastSeq + 1, type: 'lost', reason: `shim: ${reason}` });
  }

  async #destroy(): Promise<void> {
    const { addon, dir, cgroup, detachNetwork, onDestroyed } = this.#parts;
    // Deleting a veth waits ~20 ms for the kernel's readers; it needs nothing of the shim, so both go on together.
    await Promise.all([this.#shutdown(), detachNetwork()]);
    // Whatever the shim could not do, or all of it when there is none.
    await addon.destroyCgroup(cgroup);
    await dir.remove(addon);
    onDestroyed();
  }

  async #shutdown(): Promise<void> {
    try {
      await this.#client?.request('shutdown', {}, { timeoutMs: SHUTDOWN_TIMEOUT_MS });
    } catch {
      // A shim that is dead or stuck: its cgroup is killed next.
    } finally {
      this.#client?.close();
    }
  }
}
