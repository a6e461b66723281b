/** What a container sees mounted (containerd `pkg/oci/mounts.go`). */
import type { Container, VolumeMount } from '../types/container.ts';
import { ContainerConfigError, type OciMount } from './types.ts';

/** A bind mount of a volume, resolved: `source` is a path of the host. */
export interface VolumeBind {
  source: string;
  destination: string;
  readOnly: boolean;
  /** Set for a subPath: the runner resolves it below the volume itself, at the moment it mounts (CVE-2021-25741). */
  within?: { root: string; subPath: string };
  recursiveReadOnly?: VolumeMount['recursiveReadOnly'];
  propagation?: VolumeMount['mountPropagation'];
}

export interface MountInput {
  volumes: readonly VolumeBind[];
  /** Host paths of the files bound over /etc. */
  etc: { hosts: string; hostname: string; resolvConf: string };
  /** Host path of the pod's shared /dev/shm; without one each container has its own. */
  shmPath?: string;
  /** Host path of this attempt's termination message, and `terminationMessagePath`. */
  terminationLog?: { source: string; destination: string };
  privileged: boolean;
  /** False: owners of volumes are seen through the pod's own users. */
  hostUsers?: boolean;
}

const SYSTEM = ['nosuid', 'noexec', 'nodev'];

/** The volumes with what the container's `volumeMounts` say of how they are mounted. */
export function volumeBinds(binds: readonly VolumeBind[], { name, volumeMounts }: Container): VolumeBind[] {
  return binds.map((bind) => {
    const wanted = volumeMounts.find(({ mountPath }) => mountPath === bind.destination);
    if (wanted === undefined) return bind;
    const { recursiveReadOnly, mountPropagation } = wanted;
    if (recursiveReadOnly === 'Enabled' && !bind.readOnly)
      throw new ContainerConfigError(`${name}: recursiveReadOnly of ${bind.destination} needs readOnly`);
    return { ...bind, recursiveReadOnly, propagation: mountPropagation };
  });
}

/** In the order to mount them: a mount may lie inside an earlier one. */
export function containerMounts(input: MountInput): OciMount[] {
  const { volumes, etc, shmPath, terminationLog, privileged, hostUsers = true } = input;
  const own = new Set(volumes.map((volume) => clean(volume.destination)));
  const identity = [
    fileBind(etc.hosts, '/etc/hosts'),
    fileBind(etc.hostname, '/etc/hostname'),
    fileBind(etc.resolvConf, '/etc/resolv.conf'),
  ].filter((mount) => !own.has(mount.destination));
  const binds = [
    ...identity,
    ...(terminationLog === undefined ? [] : [bind(terminationLog.source, terminationLog.destination, ['rw'])]),
    ...volumes.map((volume) => volumeBind(volume, hostUsers)),
  ];
  // As containerd: whoever mounts /a and /a/b means b to be seen, in whichever order they are written.
  binds.sort((a, b) => depth(a.destination) - depth(b.destination));
  return [...systemMounts(privileged, shmPath).filter((mount) => !own.has(mount.destination)), ...binds];
}

function systemMounts(privileged: boolean, shmPath: string | undefined): OciMount[] {
  const access = privileged ? 'rw' : 'ro';
  return [
    mount('/proc', 'proc', 'proc', SYSTEM),
    mount('/dev', 'tmpfs', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/dev/pts', 'devpts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    shmPath === undefined
      ? mount('/dev/shm', 'tmpfs', 'shm', [...SYSTEM, 'mode=1777', 'size=65536k'])
      : bind(shmPath, '/dev/shm', SYSTEM),
    mount('/dev/mqueue', 'mqueue', 'mqueue', SYSTEM),
    mount('/sys', 'sysfs', 'sysfs', [...SYSTEM, access]),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', [...SYSTEM, 'relatime', access]),
  ];
}

/** Read-only: these files are the agent's, and what is written to them is counted nowhere (CVE-2020-8557). */
function fileBind(source: string, destination: string): OciMount {
  return bind(source, destination, ['ro', ...SYSTEM]);
}

const PROPAGATION = { None: 'rprivate', HostToContainer: 'rslave', Bidirectional: 'rshared' };

function volumeBind(volume: VolumeBind, hostUsers: boolean): OciMount {
  const { source, destination, readOnly, within, recursiveReadOnly = 'Disabled', propagation = 'None' } = volume;
  if (propagation === 'Bidirectional' && !hostUsers)
    throw new ContainerConfigError(
      `${destination}: mountPropagation Bidirectional cannot be had with hostUsers: false`,
    );
  const options = [
    'rbind',
    PROPAGATION[propagation],
    readOnly ? 'ro' : 'rw',
    // What is mounted below the volume stays writable with a plain `ro`, as in Kubernetes.
    ...(readOnly && recursiveReadOnly !== 'Disabled' ? [RECURSIVE[recursiveReadOnly]] : []),
    ...(hostUsers ? [] : ['idmap']),
    ...(within === undefined ? [] : [`x-edgepod.subpath=${within.subPath}`]),
  ];
  return mount(destination, 'bind', within?.root ?? source, options);
}

/** IfPossible goes without on kernels before 5.12. */
const RECURSIVE = { Enabled: 'rro', IfPossible: 'x-edgepod.rro-if-possible' };

function bind(source: string, destination: string, options: string[]): OciMount {
  return mount(destination, 'bind', source, ['rbind', 'rprivate', ...options]);
}

function mount(destination: string, type: string, source: string, options: string[]): OciMount {
  return { destination, type, source, options };
}

function clean(path: string): string {
  return `/${path.split('/').filter(isStep).join('/')}`;
}

function depth(path: string): number {
  return path.split('/').filter(isStep).length;
}

function isStep(part: string): boolean {
  return part !== '' && part !== '.';
}
