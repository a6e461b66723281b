/** Creates pod sandboxes, finds them again after a restart of the agent, and clears away what is left of dead ones. */
import { mkdir } from 'node:fs/promises';
import type { ContainerRecord, HostPort, SandboxRuntime, SandboxSpec } from '../pods/ports.ts';
import { RuntimeError, runtimeError } from './errors.ts';
import { podCgroup } from './instance.ts';
import type { Native } from './native.ts';
import { ShimSandbox } from './sandbox.ts';
import { listSandboxDirs, SandboxDir } from './sandbox-dir.ts';

/** A pod on the network: its infra process, its address, and the node's ports that lead to it. */
export interface AttachedPod {
  uid: string;
  pid: number;
  ip: string;
  hostPorts: HostPort[];
}

/** What the runtime needs of the network; `PodNetwork` in network/ is one. */
export interface SandboxNetwork {
  /** Gives the network namespace of `pid` its eth0 with `ip`, and publishes its ports. */
  attach(pod: AttachedPod): Promise<void>;
  /** Takes over pods that were attached by an earlier agent and run. */
  resume(pods: AttachedPod[]): Promise<void>;
  /** Idempotent. */
  detach(uid: string): Promise<void>;
  /** Name of the node's end of the pod's link. */
  link(uid: string): string;
}

export interface RuntimeLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface RuntimeOptions {
  native: Native;
  /** Absolute, on tmpfs; `pods/<uid>` is made below it. */
  runDir: string;
  /** First component of every cgroup path. */
  cgroupRoot: string;
  network: SandboxNetwork;
  log: RuntimeLog;
  /** Variables handed to the shim, e.g. for fault injection. Default: none; the agent's own may hold secrets. */
  shimEnv?: string[];
}

export interface LostSandbox {
  uid: string;
  spec?: SandboxSpec;
  exits: ContainerRecord[];
}

/** The shim's foreground process ends when the sandbox stands; forking and a few mounts, even on a slow board. */
const SHIM_TIMEOUT_MS = 20_000;

export class ShimRuntime implements SandboxRuntime {
  readonly #options: RuntimeOptions;
  readonly #sandboxes = new Map<string, ShimSandbox>();

  constructor(options: RuntimeOptions) {
    this.#options = options;
  }

  /** Every sandbox that was created or attached and not yet destroyed. */
  sandboxes(): ShimSandbox[] {
    return [...this.#sandboxes.values()];
  }

  /**
   * Builds the sandbox of a pod: shim, infra process, control group and network.
   * @throws RuntimeError naming the step; then nothing of it is left
   */
  async create(spec: SandboxSpec): Promise<ShimSandbox> {
    const { uid } = spec;
    if (this.#sandboxes.has(uid))
      throw new RuntimeError({ step: 'sandbox-create', code: 'EEXIST', detail: 'the pod has a sandbox', object: uid });
    const sandbox = this.#sandbox(spec);
    this.#sandboxes.set(uid, sandbox);
    try {
      await this.#build(spec, sandbox);
      return sandbox;
    } catch (error) {
      await sandbox.destroy().catch((left: unknown) => this.#warn(uid, left, 'a failed sandbox could not be removed'));
      this.#sandboxes.delete(uid);
      throw runtimeError(error, { step: 'sandbox-create', object: uid });
    }
  }

  /** Connects to the shims of an earlier agent. Call once, before the first `create`. */
  async attachAll(): Promise<{ sandboxes: ShimSandbox[]; lost: LostSandbox[] }> {
    const dirs = await listSandboxDirs(this.#options.runDir);
    const found = await Promise.all(dirs.map((dir) => this.#attach(dir)));
    const sandboxes = found.filter((sandbox) => sandbox instanceof ShimSandbox);
    await this.#resumeNetwork(sandboxes);
    return {
      sandboxes,
      lost: found.filter((sandbox) => !(sandbox instanceof ShimSandbox)) as LostSandbox[],
    };
  }

  /** Leaves everything running and closes the connections: the agent stops. */
  detachAll(): void {
    for (const sandbox of this.#sandboxes.values()) sandbox.detach();
    this.#sandboxes.clear();
  }

  /** The pods keep running whatever comes of this. */
  async #resumeNetwork(sandboxes: ShimSandbox[]): Promise<void> {
    const pods = sandboxes.flatMap(({ uid, infraPid, spec: { ip, hostPorts = [] } }) =>
      ip === undefined ? [] : [{ uid, pid: infraPid, ip, hostPorts }],
    );
    await this.#options.network.resume(pods).catch((error: unknown) => {
      this.#options.log.warn({ error: String(error) }, 'the network of running pods could not be checked');
    });
  }

  async #build(spec: SandboxSpec, sandbox: ShimSandbox): Promise<void> {
    const { native, runDir, network } = this.#options;
    const { uid, ip, namespaces, hostPorts } = spec;
    const dir = new SandboxDir(runDir, uid);
    await dir.remove(native.addon); // what an earlier agent may have left half-made
    await dir.create(spec, sandbox.cgroup);
    if (namespaces.ipc === 'pod') await dir.mountShm(native.addon);
    await this.#spawnShim(dir);
    await sandbox.connect();
    if (namespaces.network === 'host') return;
    if (!ip) throw new RuntimeError({ step: 'network-attach', code: 'EINVAL', detail: 'no address', object: uid });
    await network.attach({ uid, pid: sandbox.infraPid, ip, hostPorts });
  }

  async #spawnShim(dir: SandboxDir): Promise<void> {
    const { native, shimEnv = [] } = this.#options;
    const args = ['shim', '--dir', dir.path, '--pause', native.pause];
    const { exitCode, stdout } = await native.addon.run(native.runner, args, shimEnv, SHIM_TIMEOUT_MS);
    if (exitCode !== 0) throw shimFailure(dir.uid, exitCode, stdout);
  }

  async #attach(dir: SandboxDir): Promise<ShimSandbox | LostSandbox> {
    const { native, cgroupRoot, network } = this.#options;
    const spec = await dir.spec();
    if (spec) {
      const sandbox = this.#sandbox(spec);
      try {
        await sandbox.connect();
        this.#sandboxes.set(dir.uid, sandbox);
        return sandbox;
      } catch (error) {
        this.#warn(dir.uid, error, 'the shim does not answer; clearing its pod away');
        sandbox.detach();
      }
    }
    const lost: LostSandbox = { uid: dir.uid, ...(spec ? { spec } : {}), exits: [] };
    try {
      await native.addon.destroyCgroup(podCgroup(cgroupRoot, dir.uid));
      lost.exits = await dir.exits(); // after the kill: a shim that was only stuck may have written more
      await network.detach(dir.uid);
      await dir.remove(native.addon);
    } catch (error) {
      this.#warn(dir.uid, error, 'a lost sandbox could not be removed completely');
    }
    return lost;
  }

  #sandbox(spec: SandboxSpec): ShimSandbox {
    const { native, runDir, cgroupRoot, network } = this.#options;
    const { uid } = spec;
    const hasLink = spec.namespaces.network === 'pod';
    const sandbox: ShimSandbox = new ShimSandbox({
      addon: native.addon,
      dir: new SandboxDir(runDir, uid),
      spec,
      cgroup: podCgroup(cgroupRoot, uid),
      detachNetwork: async () => (hasLink ? network.detach(uid) : undefined),
      onDestroyed: () => {
        if (this.#sandboxes.get(uid) === sandbox) this.#sandboxes.delete(uid);
      },
    });
    return sandbox;
  }

  #warn(uid: string, error: unknown, message: string): void {
    this.#options.log.warn({ uid, error: String(error) }, message);
  }
}

/** Makes the run directory and a runtime on it. */
export async function createRuntime(options: RuntimeOptions): Promise<ShimRuntime> {
  await mkdir(options.runDir, { recursive: true, mode: 0o700 });
  return new ShimRuntime(options);
}

/** The shim says on one line of JSON why it could not start. */
function shimFailure(uid: string, exitCode: number, stdout: string): RuntimeError {
  try {
    const { error } = JSON.parse(stdout) as {
      error: { step: string; errno: number; code?: string; detail?: string };
    };
    const { step, errno, code = 'EUNKNOWN', detail } = error;
    return new RuntimeError({ step, errno, code, detail, object: uid });
  } catch {
    const detail = `the shim ended with ${exitCode}: ${stdout.slice(0, 200) || 'no output'}`;
    return new RuntimeError({ step: 'sandbox-create', code: 'EPROTO', detail, object: uid });
  }
}
