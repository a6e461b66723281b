/** What this kernel and this process can do, for `edgepod check` and the node object. Probes once per call; changes nothing. */
import { readFile } from 'node:fs/promises';
import { release, version } from 'node:os';
import type { Addon, CgroupFeatures, KernelProbe } from './native.ts';

export interface Features {
  kernel: { release: string; version: string; preemptRt: boolean } & KernelProbe;
  cgroup: CgroupFeatures;
  /** Unprivileged or not: user namespaces can be made. */
  userNamespaces: boolean;
  psi: boolean;
  /** Names without CAP_, of this process's effective set. */
  capabilities: string[];
  /** Needed to lower oom_score_adj and raise rlimits above the hard limit. */
  hasSysResource: boolean;
}

/** linux/capability.h, by number. */
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );

export async function readFeatures(addon: Addon): Promise<Features> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => '');
  const [cgroup, status, maxUserNamespaces, pressure, realtime] = await Promise.all([
    addon.cgroupFeatures(),
    read('/proc/self/status'),
    read('/proc/sys/user/max_user_namespaces'),
    read('/proc/pressure/memory'),
    read('/sys/kernel/realtime'),
  ]);
  const capabilities = capabilityNames(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0');
  return {
    kernel: { release: release(), version: version(), preemptRt: realtime.trim() === '1', ...addon.probeKernel() },
    cgroup,
    userNamespaces: Number(maxUserNamespaces) > 0,
    psi: pressure !== '',
    capabilities,
    hasSysResource: capabilities.includes('SYS_RESOURCE'),
  };
}

/** Names of the bits of a hexadecimal capability set. */
export function capabilityNames(hex: string): string[] {
  const bits = BigInt(`0x${hex}`);
  return CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n);
}
