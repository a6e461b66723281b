/** Which kernel features are missing, and what each costs: for the node's conditions and `edgepod check`. */
import type { Features } from '../../runtime/features.ts';

export interface Missing {
  feature: string;
  consequence: string;
  /** Without it no pod runs at all. */
  fatal?: boolean;
}

export function missingFeatures({ kernel, cgroup, psi, hasSysResource }: Features): Missing[] {
  const checks: [present: boolean, feature: string, consequence: string, fatal?: boolean][] = [
    [kernel.overlay, 'overlayfs', 'no container can have a root file system', true],
    [kernel.seccomp, 'seccomp', 'containers are not confined to safe system calls'],
    [
      cgroup.memory,
      'memory controller',
      'memory limits and figures do not work (on a Raspberry Pi add cgroup_enable=memory to the kernel command line)',
    ],
    [cgroup.cpu, 'cpu controller', 'CPU limits do not work'],
    [cgroup.pids, 'pids controller', 'process limits do not work'],
    [cgroup.devices, 'device controller', 'containers can open any device node they are able to make'],
    [psi, 'PSI', 'no pressure figures'],
    [
      hasSysResource,
      'CAP_SYS_RESOURCE',
      'infra processes are not protected from the OOM killer, limits of open files stay the agent’s',
    ],
    [
      !kernel.preemptRt || cgroup.mode === 'v2',
      'OOM notification',
      'out-of-memory kills are seen only at the end of a container',
    ],
  ];
  return checks
    .filter(([present]) => !present)
    .map(([, feature, consequence, fatal]) => ({ feature, consequence, ...(fatal && { fatal }) }));
}
