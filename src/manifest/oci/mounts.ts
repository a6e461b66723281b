/** What a container sees mounted (containerd `pkg/oci/mounts.go`). */
import type { OciMount } from './types.ts';

/** A bind mount of a volume, resolved: `source` is a path of the host. */
export interface VolumeBind {
  source: string;
  destination: string;
  readOnly: boolean;
  /** Set for a subPath: the runner resolves it below the volume itself, at the moment it mounts (CVE-2021-25741). */
  within?: { root: string; subPath: string };
}

export interface MountInput {
  volumes: readonly VolumeBind[];
  /** Host paths of the files bound over /etc. */
  etc: { hosts: string; hostname: string; resolvConf: string };
  /** Host path of the pod's shared /dev/shm; without one each container has its own. */
  shmPath?: string;
  /** Host path of the file bound at /dev/termination-log. */
  terminationLog?: string;
  privileged: boolean;
}

const SYSTEM = ['nosuid', 'noexec', 'nodev'];

/** In the order to mount them: a mount may lie inside an earlier one. */
export function containerMounts({ volumes, etc, shmPath, terminationLog, privileged }: MountInput): OciMount[] {
  const own = new Set(volumes.map((volume) => clean(volume.destination)));
  const identity = [
    fileBind(etc.hosts, '/etc/hosts'),
    fileBind(etc.hostname, '/etc/hostname'),
    fileBind(etc.resolvConf, '/etc/resolv.conf'),
  ].filter((mount) => !own.has(mount.destination));
  const binds = [
    ...identity,
    ...(terminationLog === undefined ? [] : [bind(terminationLog, '/dev/termination-log', ['rw'])]),
    ...volumes.map(volumeBind),
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

function volumeBind({ source, destination, readOnly, within }: VolumeBind): OciMount {
  const access = readOnly ? 'ro' : 'rw';
  if (within === undefined) return bind(source, destination, [access]);
  return bind(within.root, destination, [access, `x-edgepod.subpath=${within.subPath}`]);
}

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
