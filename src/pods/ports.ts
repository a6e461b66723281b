/**
 * What the reconciler needs from the rest of the agent, as small interfaces. The composition root hands in the
 * real parts; nothing in `pods/` imports them.
 */
import type { ConfigMap, Secret } from '../manifest/types/objects.ts';
import type { ContainerTerminated } from '../manifest/types/status.ts';

/** Figures of the OCI runtime-spec `linux.resources` object, the subset edgepod sets. */
export interface LinuxResources {
  memory?: { limit?: number; reservation?: number; swap?: number };
  cpu?: { shares?: number; quota?: number; period?: number };
  pids?: { limit: number };
}

export interface SandboxSpec {
  uid: string;
  namespace: string;
  name: string;
  /** How many sandboxes this pod had before: 0 for the first. */
  attempt: number;
  hostname: string;
  /** `pod`: a new namespace held by the infra process · `host`: the node's · `container` (pid only): one each. */
  namespaces: {
    network: 'pod' | 'host';
    pid: 'container' | 'pod' | 'host';
    ipc: 'pod' | 'host';
    /** `pod`: the pod has users of its own, mapped to a range of the node's that no other pod has. */
    user: 'pod' | 'host';
  };
  /** The node's id that is the pod's root, with `user: 'pod'`; the pod has it and the 65535 after it. */
  firstUser?: number;
  /** Address of the pod on the bridge; undefined with hostNetwork. */
  ip?: string;
  resources: LinuxResources;
  /** Namespaced kernel settings, name → value, written once when the sandbox is made. */
  sysctls: Record<string, string>;
  /** Ports of the node that lead to the pod; empty with hostNetwork. */
  hostPorts: HostPort[];
  /** Opaque to the runtime; comes back from `attachAll` after an agent restart. */
  labels: Record<string, string>;
}

export interface HostPort {
  /** `0.0.0.0` for every address of the node. */
  hostIP: string;
  hostPort: number;
  containerPort: number;
  protocol: 'TCP' | 'UDP' | 'SCTP';
}

export interface ContainerSpec {
  name: string;
  /** 0 for the first start, +1 each restart; names the log file `<attempt>.log`. */
  attempt: number;
  /** An OCI runtime-spec config (see manifest/oci.ts). */
  config: object;
  log: { path: string; maxBytes: number; maxFiles: number };
  /** Container whose PID namespace it joins, which must run, instead of one of its own. */
  pidTarget?: string;
  /** Opaque; comes back with the container record. */
  labels: Record<string, string>;
}

export interface ProcessUser {
  uid: number;
  gid: number;
  groups: number[];
}

/** What the shim knows about one container it started and that has not been removed. */
export interface ContainerRecord {
  name: string;
  attempt: number;
  pid: number;
  startedAt: string;
  labels: Record<string, string>;
  /** Who its first process was at the start, in the pod's own ids. Older shims do not say. */
  user?: ProcessUser;
  /** Limits it was to have and this kernel cannot apply; told by `start` only. */
  notes?: string[];
  /** Set once it ended. */
  exit?: ContainerExit;
}

export type ContainerExit = Required<Pick<ContainerTerminated, 'exitCode' | 'startedAt' | 'finishedAt'>> & {
  /** Signal number that ended it, 0 if it exited by itself; exitCode is then 128 + signal. */
  signal: number;
  oomKilled: boolean;
};

export type SandboxEvent =
  | { seq: number; type: 'exit'; container: string; attempt: number; exit: ContainerExit }
  | { seq: number; type: 'oom'; container: string; attempt: number }
  /** The infra process died, or the shim itself: the sandbox is gone, everything in it has been killed. */
  | { seq: number; type: 'lost'; reason: string };

export interface ExecRequest {
  args: string[];
  env?: string[];
  cwd?: string;
  timeoutMs: number;
  /** Output kept per stream, bytes; the rest is dropped and `truncated` set. */
  maxOutput: number;
}

export interface ExecEnd {
  exitCode: number;
  signal: number;
  timedOut: boolean;
}

export interface ExecResult extends ExecEnd {
  stdout: Uint8Array;
  stderr: Uint8Array;
  truncated: boolean;
}

export interface StreamRequest extends Pick<ExecRequest, 'args' | 'env' | 'cwd' | 'timeoutMs'> {
  /** All of its standard input; /dev/null without. */
  stdin?: Uint8Array;
}

/** A process in a container whose output is read while it runs. */
export interface RunningExec {
  /** Ends after the process, when nothing more comes. What is not read keeps the process waiting. Iterable once. */
  output: AsyncIterable<{ stream: 'stdout' | 'stderr'; data: Buffer }>;
  ended: Promise<ExecEnd>;
  /** Kills it and everything it started. */
  kill(): void;
}

/** A running sandbox. Every method rejects with a RuntimeError `{step, errno, code, detail}` when the runner refuses. */
export interface Sandbox {
  readonly uid: string;
  readonly infraPid: number;
  readonly startedAt: string;
  readonly spec: SandboxSpec;
  /** Limits of the pod that this kernel cannot apply. */
  readonly notes?: readonly string[];
  containers(): ContainerRecord[];
  /** Resolves after the container's execve succeeded; rejects, with nothing left behind, if any step failed. */
  start(container: ContainerSpec): Promise<ContainerRecord>;
  /** Sends `signal` once and SIGKILL to the whole container after `graceMs`; the end arrives as an `exit` event. */
  stop(container: string, signal: string, graceMs: number): Promise<void>;
  /** Forgets an ended container and removes its cgroup and bundle. */
  remove(container: string): Promise<void>;
  exec(container: string, request: ExecRequest): Promise<ExecResult>;
  /** Resolves when the process runs. */
  stream(container: string, request: StreamRequest): Promise<RunningExec>;
  /** Changes limits in place; of the pod itself without a container. */
  update(resources: LinuxResources, container?: string): Promise<void>;
  /** Kills what still runs, removes network, cgroups, mounts and the run directory. Idempotent. */
  destroy(): Promise<void>;
  /** One listener; events not yet acknowledged are replayed to it first, in order of `seq`. */
  onEvent(listener: (event: SandboxEvent) => void): void;
  /** The event's effects are durable: the shim may forget it and all before it. */
  ack(seq: number): void;
}

export interface SandboxRuntime {
  create(spec: SandboxSpec): Promise<Sandbox>;
  /** Connects to every shim in the run directory; one that does not answer is cleaned up and listed as lost. */
  attachAll(): Promise<{ sandboxes: Sandbox[]; lost: { uid: string; spec?: SandboxSpec; exits: ContainerRecord[] }[] }>;
}

/** What a probe or an httpGet hook asks. Addresses and ports are resolved. */
export type ProbeTarget =
  | { exec: { sandbox: Sandbox; container: string; command: string[]; env?: string[] } }
  | {
      http: {
        host: string;
        port: number;
        path: string;
        scheme: 'HTTP' | 'HTTPS';
        headers: { name: string; value: string }[];
        /** Whatever is answered is a success: of a hook only the asking counts. */
        anyStatus?: boolean;
      };
    }
  | { tcp: { host: string; port: number } }
  | { grpc: { host: string; port: number; service: string } };

export interface ProbeTiming {
  initialDelayMs: number;
  periodMs: number;
  timeoutMs: number;
  /** Consecutive answers of one kind before a verdict changes. */
  successThreshold: number;
  failureThreshold: number;
}

export interface ProbeVerdict {
  ok: boolean;
  /** For people: what was answered, e.g. `HTTP probe failed with statuscode: 500`. */
  message: string;
}

/** Asks containers how they are, without loading the agent: it hears of changes and of failures. */
export interface Prober {
  /**
   * Asks every `periodMs`. `onVerdict` is called when a threshold is reached for the first time, and from then on
   * whenever the verdict changes; `onFailure` for every other answer that is a failure. Neither after `stop()`.
   */
  watch(
    target: ProbeTarget,
    timing: ProbeTiming,
    onVerdict: (verdict: ProbeVerdict) => void,
    onFailure?: (message: string) => void,
  ): { stop(): void };
  /** Asks once. Resolves in any case, also when the time is over. */
  once(target: ProbeTarget, timeoutMs: number): Promise<ProbeVerdict>;
}

export interface ImageConfig {
  env: string[];
  entrypoint: string[];
  cmd: string[];
  workingDir: string;
  user: string;
  stopSignal: string;
}

export interface Image {
  /** `sha256:…` of the image config. */
  id: string;
  /** Normalised reference it was found under, e.g. `docker.io/library/nginx:latest`. */
  ref: string;
  os: string;
  architecture: string;
  config: ImageConfig;
  /** Absolute directories, topmost layer first, ready for overlayfs `lowerdir=`. */
  lowerDirs: string[];
}

/** `code` is the Kubernetes waiting reason: ErrImagePull, ErrImageNeverPull, InvalidImageName, ImageInspectError. */
export interface ImageFailure {
  code: string;
  message: string;
}

export interface ImageSource {
  /** The image a container should run, obtained according to its pull policy. Throws an Error that is an ImageFailure. */
  ensure(ref: string, policy: 'Always' | 'IfNotPresent' | 'Never'): Promise<Image>;
}

/** ConfigMaps and Secrets of this device; undefined for one that is not there. */
export interface ObjectSource {
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

/** Ranges of user and group ids. */
export interface UserRanges {
  /** First id of the pod's range, the same every time for one uid until the pod's leases are released. */
  lease(uid: string): number;
  /** A sandbox that runs has this range. Idempotent. */
  claim(uid: string, first: number): void;
}

/** What pods hold of the node. `release` and `keepOnly` are for all of it. */
export interface IpLeases {
  users?: UserRanges;
  /** The pod's address, the same every time for one uid until released. Throws when the range is used up. */
  lease(uid: string): string;
  release(uid: string): void;
  /** A sandbox that runs has this address: it is leased to `uid` from now on (the store may have been lost). Idempotent. */
  claim?(uid: string, ip: string): void;
  /** Releases what any other uid holds: at the agent's start, for pods whose record never came to be written. */
  keepOnly?(uids: ReadonlySet<string>): void;
}

/** Both clocks: wall time only for people, monotonic milliseconds (of this boot) for every decision. */
export interface Clock {
  now(): Date;
  monotonicMs(): number;
}
