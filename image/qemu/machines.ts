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
  /** The processor of a Raspberry Pi 5, with pages as large as its system's kernel has them. */
  'pages-16k': { cpu: 'cortex-a76', kernel: 'linux-image-6.12-arm64-16k' },
  /** No battery for the clock, and nobody to ask for the time. */
  'clock-1970': { rtc: '1970-01-01' },
};
