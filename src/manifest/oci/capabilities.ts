/** Which capabilities a container has. */
import type { SecurityContext } from '../types/security.ts';

/** Every capability of Linux, in kernel order, without `CAP_`. */
export const CAPABILITIES: readonly string[] = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN ' +
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE ' +
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** Podman's default set: containerd's without MKNOD, NET_RAW and AUDIT_WRITE. */
const DEFAULT = 'CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(
  ' ',
);

/**
 * Names without `CAP_`, in kernel order, put together as containerd does: the default set; all with `add: [ALL]`; none
 * with `drop: [ALL]`; then single names added, then single names dropped. Everything when privileged.
 */
export function grantedCapabilities({ privileged = false, capabilities = {} }: SecurityContext = {}): string[] {
  if (privileged) return [...CAPABILITIES];
  const { add = [], drop = [] } = capabilities;
  const base = drop.includes('ALL') ? [] : add.includes('ALL') ? CAPABILITIES : DEFAULT;
  const granted = new Set([...base, ...add]);
  return CAPABILITIES.filter((name) => granted.has(name) && !drop.includes(name));
}
