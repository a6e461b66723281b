/** Finds and loads the native parts, and gives the addon its types. The addon itself is documented in native/addon/. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProbeTiming } from '../pods/ports.ts';
import { RuntimeError } from './errors.ts';

/** Functions that return promises do their work on a thread of their own; errors carry `{step, code, errno, detail}`. */
export interface Addon {
  /** SEQPACKET client; throws when nobody listens. `fds` given to `onMessage` are the receiver's to close. */
  connect(
    path: string,
    onMessage: (data: Buffer, fds: number[]) => void,
    onClose: (code: string | null) => void,
  ): number;
  /** Keeps the order of calls; throws ENOBUFS when 1 MiB waits already, ENOTCONN after the end. */
  send(handle: number, data: Buffer | string, fds?: number[]): void;
  close(handle: number): void;
  ref(handle: number): void;
  unref(handle: number): void;
  /** Runs a short-lived program: clean signals, no inherited descriptors, no shell. Rejects ETIMEDOUT after killing it. */
  run(
    file: string,
    args: string[],
    env: string[],
    timeoutMs: number,
  ): Promise<{ exitCode: number; signal: number; stdout: string }>;
  readonly statsLayout: { node: number; cgroup: number; link: number };
  readStats(root: string, cgroups: string[], links: string[], out: Float64Array): void;
  /** Per pid: rss, anonymous, pss (NaN unless asked for), bytes. */
  readProcesses(pids: number[], pss: boolean): Promise<Float64Array>;
  /** Idempotent; `gateway` (`10.88.0.1/24`) becomes the bridge's only IPv4 address. */
  ensureBridge(name: string, gateway: string, mtu: number): Promise<void>;
  attachLink(
    hostName: string,
    bridge: string,
    netns: string,
    address: string,
    gateway: string,
    mtu: number,
  ): Promise<void>;
  /** Plugs a link that is there into the bridge; ENODEV if either is missing. */
  plugLink(name: string, bridge: string): Promise<void>;
  deleteLink(name: string): Promise<void>;
  /** Connections the kernel is to forget: `[protocol, port, pod address as a number, …]`, 0 matching everything. */
  forgetFlows(flows: number[]): Promise<void>;
  /** Tells of links and nftables tables that lose something (`*`: notices were lost). One listener; returns its end. */
  watchNetwork(onRemoved: (kind: 'link' | 'table', name: string) => void): () => void;
  /**
   * Asks on the addon's probe thread, every `periodMs` (0: once), until `probeRemove`. `onVerdict` hears of changes:
   * 'success', 'failure', or 'handover' (a redirect to https), after which the id is free again, as it is after the
   * one answer of a probe that is asked once; and of failures that change nothing: 'unhealthy'.
   * @throws when the target is no valid one
   */
  probeAdd(
    id: number,
    target: NativeProbeTarget,
    timing: ProbeTiming,
    onVerdict: (outcome: string, message: string) => void,
  ): void;
  /** No `onVerdict` for this id from now on. */
  probeRemove(id: number): void;
  mountTmpfs(path: string, bytes: number, mode: number): Promise<void>;
  /** An image's layers (topmost first, two at least) as one read-only directory. */
  mountLayers(path: string, lowerDirs: string[]): Promise<void>;
  /** Nothing mounted there is no error. */
  unmount(path: string, detach: boolean): Promise<void>;
  /** Per path bytes on the disk and inodes; 0 for one that is not there, infinite for one too deep to be measured. */
  treeUsage(paths: string[]): Promise<Float64Array>;
  /** Gives a tree to a group, by descriptors: g+rw everywhere, g+x and setgid on directories. Links are not followed. */
  setTreeGroup(path: string, gid: number, onlyOnMismatch: boolean): Promise<void>;
  /** Kills every process of the subtree and removes it; one that is not there is no error. */
  destroyCgroup(path: string): Promise<void>;
  cgroupFeatures(): Promise<CgroupFeatures>;
  /** False when systemd does not listen. */
  sdNotify(state: string): boolean;
  /** Descriptor that holds the lock, -1 when another process has it. */
  lockFile(path: string): number;
  /** Read end and write end, both close-on-exec and the caller's to close. */
  pipe(): [number, number];
  probeKernel(): KernelProbe;
  /** Whether 32-bit ARM programs run here; found out by running one. */
  runsArm32(): Promise<boolean>;
  /** Gives back free heap, and unmaps code and constants of Node and its libraries: what is in use comes back by itself. */
  releaseMemory(): Promise<void>;
}

/** `host` in digits. */
export interface NativeProbeTarget {
  kind: 'tcp' | 'http' | 'grpc';
  host: string;
  port: number;
  userAgent: string;
  /** http */
  path?: string;
  headers?: { name: string; value: string }[];
  anyStatus?: boolean;
  /** grpc */
  service?: string;
}

export interface CgroupFeatures {
  mode: 'v1' | 'v2';
  controllers: string[];
  memory: boolean;
  cpu: boolean;
  pids: boolean;
  io: boolean;
  swap: boolean;
  kill: boolean;
  freeze: boolean;
  oomGroup: boolean;
  devices: boolean;
  psi: boolean;
  cgroupPsi: boolean;
  cloneInto: boolean;
}

export interface KernelProbe {
  pageSize: number;
  clone3: boolean;
  openat2: boolean;
  pidfd: boolean;
  mountSetattr: boolean;
  overlay: boolean;
  seccomp: boolean;
}

export interface Native {
  addon: Addon;
  /** Absolute paths of the programs. */
  runner: string;
  pause: string;
  unpack: string;
}

const ADDON = 'edgepod.node';

/**
 * Directory of the native files: EDGEPOD_NATIVE_DIR, or beside a production bundle, or the source tree's build.
 * @throws RuntimeError ENATIVE that says where it looked and how to build them.
 */
export function nativeDir(env: NodeJS.ProcessEnv = process.env): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = env.EDGEPOD_NATIVE_DIR
    ? [env.EDGEPOD_NATIVE_DIR]
    : [
        // A bundle has its code in chunks/, the native files beside that directory.
        join(here, '..', 'native', process.arch),
        join(here, '..', '..', 'native', 'build', process.arch),
      ];
  const found = candidates.find((dir) => existsSync(join(dir, ADDON)));
  if (found) return found;
  throw new RuntimeError({
    step: 'native-load',
    code: 'ENATIVE',
    detail: `${ADDON} for ${process.arch} not found in ${candidates.join(' or ')}; build it with "npm run build:native"`,
  });
}

/** Loads the addon; `unpack` may be missing (it is only needed to load images), runner and pause must exist. */
export function loadNative(env: NodeJS.ProcessEnv = process.env): Native {
  const dir = nativeDir(env);
  const native = {
    runner: join(dir, 'edgepod-runner'),
    pause: join(dir, 'pause'),
    unpack: join(dir, 'edgepod-unpack'),
  };
  for (const program of [native.runner, native.pause]) {
    if (!existsSync(program))
      throw new RuntimeError({
        step: 'native-load',
        code: 'ENATIVE',
        detail: `${program} is missing; build it with "npm run build:native"`,
      });
  }
  return { addon: loadAddon(dir), ...native };
}

/** The addon alone, for parts that start no pods. */
export function loadAddon(dir: string = nativeDir()): Addon {
  const path = join(dir, ADDON);
  try {
    return createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    throw new RuntimeError({
      step: 'native-load',
      code: 'ENATIVE',
      detail: `${path} does not load (${(error as Error).message}); rebuild it with "npm run build:native"`,
      cause: error,
    });
  }
}
