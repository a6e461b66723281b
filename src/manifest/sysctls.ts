/** Which kernel settings a pod may change in its own namespaces. */

/** They are the namespace's alone and cannot hurt others (Kubernetes `pkg/kubelet/sysctl/safe_sysctls.go`). */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  ...(
    'ip_local_port_range tcp_syncookies ping_group_range ip_unprivileged_port_start ip_local_reserved_ports ' +
    'tcp_keepalive_time tcp_fin_timeout tcp_keepalive_intvl tcp_keepalive_probes tcp_rmem tcp_wmem'
  )
    .split(' ')
    .map((name) => `net.ipv4.${name}`),
]);

/** `name` with dots. `allowed`: names and, ending in `*`, prefixes that the node's owner allows beyond the safe ones. */
export function isAllowedSysctl(name: string, allowed: readonly string[]): boolean {
  return (
    SAFE.has(name) ||
    allowed.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))
  );
}
