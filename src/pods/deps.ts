/** What the reconciler is given, as the interfaces it declares for itself. */
import type { Container } from '../manifest/types/container.ts';
import type { Pod } from '../manifest/types/pod.ts';
import type { Allocatable } from './admission/admission.ts';
import type { ListeningPort } from './admission/host-ports.ts';
import type { Paths } from './files/paths.ts';
import type { IdentityFiles, PodFiles } from './files/pod-files.ts';
import type { PodNames } from './operations/hostname.ts';
import type {
  Clock,
  Image,
  ImageSource,
  IpLeases,
  LinuxResources,
  ObjectSource,
  Prober,
  SandboxRuntime,
} from './ports.ts';
import type { Timers } from './timers.ts';
import type { DesiredPod, PodEvent, PodRecord, PublishedPod } from './types.ts';
import type { ResolvedMount, VolumeHost } from './volumes/volume-host.ts';

/** Durable records by uid. Every method is synchronous; `put` is on disk when it returns. */
export interface PodRecords {
  get(uid: string): PodRecord | undefined;
  list(): PodRecord[];
  put(record: PodRecord): void;
  delete(uid: string): void;
}

/** The stored manifests of this device. Absence of a row is never a delete; a tombstone row is. */
export interface DesiredSource {
  list(): DesiredPod[];
  get(namespace: string, name: string): DesiredPod | undefined;
}

/** Everything an OCI config of one attempt is made from. */
export interface ContainerConfigInput {
  pod: Pod;
  uid: string;
  /** Name within `pod.spec.containers`. */
  container: string;
  attempt: number;
  image: Image;
  /** What its `env` and `envFrom` define. */
  variables: ReadonlyMap<string, string>;
  hostname: string;
  /** Address of the pod, or the node's with hostNetwork. */
  podIP?: string;
  /** Value for `linux.cgroupsPath`: `<root>/pod<uid>/<container>`. */
  cgroupsPath: string;
  /** Overlay directories of this attempt, already made. */
  upperDir: string;
  workDir: string;
  /** This attempt's termination message on the host, and where the container finds it. */
  terminationLog: { source: string; destination: string };
  /** The container's volumes. */
  mounts: ResolvedMount[];
  /** Host paths of the files to bind over /etc. */
  etc: { hosts: string; hostname: string; resolvConf: string };
}

export interface IdentityInput extends PodNames {
  pod: Pod;
  /** Undefined with hostNetwork. */
  podIP?: string;
}

export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface PodManagerDeps {
  runtime: SandboxRuntime;
  images: ImageSource;
  leases: IpLeases;
  /** Asks containers how they are, and carries out exec, httpGet and tcpSocket hooks. */
  prober: Prober;
  clock: Clock;
  timers?: Timers;
  records: PodRecords;
  desired: DesiredSource;
  volumes: VolumeHost;
  objects: ObjectSource;
  files?: PodFiles;
  /** Builds the OCI runtime-spec config; pure. What it throws is shown as CreateContainerConfigError. */
  oci(input: ContainerConfigInput): object;
  /** Contents of the pod's hosts, hostname and resolv.conf. */
  identityFiles(input: IdentityInput): IdentityFiles;
  /** Limits of one container's cgroup, and of the pod's own. */
  containerResources(container: Container, pod: Pod): LinuxResources;
  podResources(pod: Pod): LinuxResources;
  /** Bytes of memory a cgroup uses and cannot do without; undefined where that is not known. Default: never known. */
  workingSet?(cgroup: string): number | undefined;
  /** Retained status; called only when something in it changed. */
  publishStatus(pod: PublishedPod): void;
  /** The pod is gone: clear its status topic. */
  clearStatus(namespace: string, name: string): void;
  /** The tombstone has been carried out: clear its topic and drop its row. */
  clearDesired(tombstone: DesiredPod): void;
  recordEvent(event: PodEvent): void;
  /**
   * Called once at start with the uids of the sandboxes that run, before anything is begun: the moment at which what
   * belongs to no sandbox (links, cgroups, directories) can be removed without hitting one that is being built.
   */
  onAttached?(living: readonly string[]): Promise<void>;
  /** Runs several durable writes as one transaction: one fsync, undone if `run` throws. Default: one after the other. */
  atomically?<T>(run: () => T): T;
  node: {
    name: string;
    hostIP(): string | undefined;
    /** Changes with every boot. */
    bootId: string;
    allocatable(): Allocatable;
    /** Ports taken by processes that are no pod's. Default: none. */
    listening?(): ListeningPort[];
    /** What the node is under, as its conditions are called: MemoryPressure, DiskPressure, PIDPressure. Default: none. */
    pressures?(): readonly string[];
    /** Whether the kernel can enforce AppArmor profiles. Default: it can. */
    appArmor?(): boolean;
  };
  paths: Paths;
  /** First component of every cgroup path, e.g. `edgepod`. */
  cgroupRoot: string;
  /** Rotation of container logs. Default: 10 MiB × 5 files, as the kubelet. */
  logLimits?: { maxBytes: number; maxFiles: number };
  log: Logger;
  /** For tests. Default: a random UUID. */
  newUid?: () => string;
}
