/** The boards there are to try: what real ones differ in. `npm run image:run -- --machine NAME`. */
import type { MachineShape } from './arguments.ts';

export const MACHINES: Record<string, MachineShape> = {
  /** What is booted unless told otherwise. */
  board: { memory: '1G', cpus: 2 },
  small: { memory: '512M', cpus: 1 },
  quad: { memory: '1G', cpus: 4 },
  /** As Raspberry Pi OS ships its kernel command line. */
  'no-memory-controller': { append: 'cgroup_disable=memory' },
  'no-psi': { append: 'psi=0' },
  'read-only-root': { readOnlyRoot: true },
  /** A processor without a 32-bit mode, as the newest and those of servers. */
  '64-bit-only': { cpu: 'a64fx' },
  /** No battery for the clock, and nobody to ask for the time. */
  'clock-1970': { rtc: '1970-01-01' },
};
