/** What a container is kept from: hidden and read-only kernel files, device nodes. */
import type { SecurityContext } from '../types/security.ts';
import type { OciDeviceRule } from './types.ts';

/**
 * Kubernetes' list (`pkg/securitycontext/util.go`) but for `/sys/devices/system/cpu/cpu*`/thermal_throttle, which only
 * Intel's processors have.
 */
export const MASKED_PATHS: readonly string[] = [
  ...'asound acpi interrupts kcore keys latency_stats timer_list timer_stats sched_debug scsi'
    .split(' ')
    .map((name) => `/proc/${name}`),
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

export const READONLY_PATHS: readonly string[] = 'bus fs irq sys sysrq-trigger'
  .split(' ')
  .map((name) => `/proc/${name}`);

/** Nothing is hidden from a privileged container, nor with `procMount: Unmasked`. */
export function protectedPaths({ privileged, procMount }: SecurityContext): {
  maskedPaths: string[];
  readonlyPaths: string[];
} {
  if (privileged || procMount === 'Unmasked') return { maskedPaths: [], readonlyPaths: [] };
  return { maskedPaths: [...MASKED_PATHS], readonlyPaths: [...READONLY_PATHS] };
}

/** null zero full random urandom tty console ptmx, and pseudo-terminals: crun's, without /dev/net/tun. */
const CHARACTER_DEVICES: readonly (readonly [major: number, minor?: number])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
  [136],
];

/** Rules in order, later ones override. Nodes may be made of anything, only these may be opened. */
export function deviceRules(privileged: boolean): OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: 'rwm' }];
  return [
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', access: 'm' },
    { allow: true, type: 'b', access: 'm' },
    ...CHARACTER_DEVICES.map(([major, minor]) => ({
      allow: true,
      type: 'c' as const,
      major,
      ...(minor !== undefined && { minor }),
      access: 'rwm',
    })),
  ];
}
