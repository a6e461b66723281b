/** CPU quantities as the kernel takes them (kubelet `pkg/kubelet/cm/helpers_linux.go`). */

/** The kernel's smallest and largest `cpu.shares`. */
const MIN_SHARES = 2;
const MAX_SHARES = 262144;
/** Microseconds: the kernel refuses a smaller quota. */
const MIN_QUOTA = 1000;

/** Microseconds of one accounting period. */
export const CPU_PERIOD = 100_000;

/** Relative weight for a request in milli-CPU: 1000m is 1024 shares. */
export function cpuShares(milli: number): number {
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milli * 1024) / 1000)));
}

/** Microseconds of CPU time per CPU_PERIOD for a limit in milli-CPU; undefined when there is no limit (0). */
export function cpuQuota(milli: number): number | undefined {
  return milli === 0 ? undefined : Math.max(MIN_QUOTA, Math.floor((milli * CPU_PERIOD) / 1000));
}
