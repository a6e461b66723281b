/** From a container of a Pod and its image to the OCI runtime-spec bundle configuration the runner starts. */
import { containerCommand } from './command.ts';
import { findContainer } from './containers.ts';
import { processEnvironment } from './env.ts';
import { grantedCapabilities } from './oci/capabilities.ts';
import { deviceRules, protectedPaths } from './oci/confinement.ts';
import { containerMounts, type VolumeBind, volumeBinds } from './oci/mounts.ts';
import { ociNamespaces } from './oci/namespaces.ts';
import { ContainerConfigError, type OciConfig, type OciDevice } from './oci/types.ts';
import { containerUser } from './oci/user.ts';
import { oomScoreAdj } from './qos.ts';
import { containerResources } from './resources.ts';
import type { Container } from './types/container.ts';
import type { Pod } from './types/pod.ts';
import type { SecurityContext } from './types/security.ts';

/** The part of an image's configuration that decides how it is run. */
export interface ImageDefaults {
  env: readonly string[];
  entrypoint: readonly string[];
  cmd: readonly string[];
  workingDir: string;
  user: string;
}

export interface OciInput {
  pod: Pod;
  /** Name of one of the pod's containers. */
  container: string;
  /** `lowerDirs`: absolute directories, topmost layer first. */
  image: { config: ImageDefaults; lowerDirs: readonly string[] };
  /** What `env` and `envFrom` define (env-sources.ts). */
  variables: ReadonlyMap<string, string>;
  hostname: string;
  /** Value of `linux.cgroupsPath`: `<pod cgroup>/<container>`. */
  cgroupsPath: string;
  /** Overlay directories of this attempt. */
  upperDir: string;
  workDir: string;
  mounts: readonly VolumeBind[];
  etc: { hosts: string; hostname: string; resolvConf: string };
  shmPath?: string;
  terminationLog?: { source: string; destination: string };
  /** Bytes of memory of the machine, for oom_score_adj. */
  nodeMemory: number;
  /** OCI `linux.seccomp`, resolved for `containerCapabilities` of this container; not used when privileged. */
  seccomp?: object | undefined;
  /** Loaded AppArmor profile the process runs under. */
  apparmorProfile?: string | undefined;
  /** The node's devices, for a privileged container. */
  devices?: readonly OciDevice[] | undefined;
  /** The most open files the runner may allow (its own hard limit). */
  nofileMax?: number;
}

/** systemd's limits: soft where select(2) still works, hard high enough for any server, and what most hosts grant. */
const NOFILE_SOFT = 1024;
const NOFILE_HARD = 524_288;
const NOFILE_GRANTED = 20_000;

/** Throws ContainerConfigError: no program to run, a user that is malformed or must not be, a mount that cannot be had. */
export function ociConfig(input: OciInput): OciConfig {
  const { pod, image } = input;
  const container = containerOf(pod, input.container);
  const security = effectiveSecurity(pod, container);
  const privileged = security.privileged === true;
  const { hostUsers, hostIPC } = pod.spec;
  const { user, annotations } = containerUser({
    security,
    pod: pod.spec.securityContext ?? {},
    imageUser: image.config.user,
    hostUsers,
    subject: subjectOf(pod, container),
  });
  return {
    ociVersion: '1.2.0',
    process: { ...processConfig(input, container, security), user },
    root: { path: 'rootfs', readonly: security.readOnlyRootFilesystem === true },
    mounts: containerMounts({
      ...input,
      volumes: volumeBinds(input.mounts, container),
      privileged,
      hostUsers,
      ...(hostIPC && { shmPath: '/dev/shm' }),
    }),
    linux: {
      namespaces: ociNamespaces(pod),
      cgroupsPath: input.cgroupsPath,
      resources: { ...containerResources(container, pod), devices: deviceRules(privileged) },
      ...protectedPaths(security),
      ...(privileged && input.devices && { devices: input.devices }),
      ...(input.seccomp !== undefined && !privileged && { seccomp: input.seccomp }),
    },
    annotations: {
      'io.edgepod.rootfs.lowerdir': JSON.stringify(image.lowerDirs),
      'io.edgepod.rootfs.upperdir': input.upperDir,
      'io.edgepod.rootfs.workdir': input.workDir,
      ...(container.stdin && { 'io.edgepod.stdin': 'open' }),
      ...annotations,
    },
  };
}

/** Capabilities of a container, `CAP_…`, in kernel order: what a seccomp profile is resolved for. */
export function containerCapabilities(container: Container): string[] {
  return grantedCapabilities(container.securityContext).map((name) => `CAP_${name}`);
}

function processConfig(
  { pod, image, variables, hostname, nodeMemory, apparmorProfile, nofileMax = NOFILE_GRANTED }: OciInput,
  container: Container,
  security: SecurityContext,
): Omit<OciConfig['process'], 'user'> {
  const args = containerCommand({ command: container.command, args: container.args, image: image.config, variables });
  if (args.length === 0)
    throw new ContainerConfigError(`no command: the image ${container.image} names none, so the container must`);
  const capabilities = containerCapabilities(container);
  const hard = Math.min(NOFILE_HARD, nofileMax);
  return {
    terminal: false,
    args,
    env: processEnvironment({ image: image.config.env, container: variables, hostname }),
    cwd: absolute(container.workingDir ?? image.config.workingDir),
    // Inheritable and ambient stay empty (CVE-2022-29162 and its family).
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: Math.min(NOFILE_SOFT, hard), hard }],
    noNewPrivileges: security.allowPrivilegeEscalation === false,
    oomScoreAdj: oomScoreAdj(pod, container, nodeMemory),
    ...(apparmorProfile !== undefined && { apparmorProfile }),
  };
}

function containerOf(pod: Pod, name: string): Container {
  const container = findContainer(pod.spec, name);
  if (container === undefined) throw new ContainerConfigError(`the pod has no container ${name}`);
  return container;
}

/** The container's word wins over the pod's, field by field. */
export function effectiveSecurity(pod: Pod, container: Container): SecurityContext {
  return { ...pod.spec.securityContext, ...container.securityContext };
}

/** The kubelet's way to name a container in its messages. */
function subjectOf({ metadata: { name, namespace, uid = '' } }: Pod, container: Container): string {
  return `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
}

/** An image's working directory may be missing or relative to its root. */
function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}
