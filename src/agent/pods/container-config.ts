/** The OCI config of one container attempt, with this machine's part in it: seccomp, memory size, descriptor limit. */
import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { findContainer } from '../../manifest/containers.ts';
import { containerCapabilities, effectiveSecurity, ociConfig } from '../../manifest/oci.ts';
import type { SeccompArch } from '../../manifest/seccomp.ts';
import type { SecurityProfile } from '../../manifest/types/security.ts';
import type { ContainerConfigInput } from '../../pods/deps.ts';
import { hostDevices } from '../../runtime/host-devices.ts';
import { appArmorProfile } from './apparmor.ts';
import { seccompProfiles } from './seccomp-profiles.ts';

/** Kubernetes' default is Unconfined. */
const RUNTIME_DEFAULT: SecurityProfile = { type: 'RuntimeDefault' };

/** Returns the builder the reconciler is given. `seccompDir`: where profiles of type Localhost are. */
export function containerConfigs(
  architecture: SeccompArch,
  { seccompDir, runDir }: { seccompDir: string; runDir: string },
): (input: ContainerConfigInput) => object {
  const nodeMemory = totalmem();
  const nofileMax = hardNofile();
  const seccompOf = seccompProfiles(seccompDir, architecture);
  return (input) => {
    const container = findContainer(input.pod.spec, input.container);
    if (container === undefined) return ociConfig({ ...input, nodeMemory, nofileMax });
    const security = effectiveSecurity(input.pod, container);
    return ociConfig({
      ...input,
      nodeMemory,
      nofileMax,
      ...podShm(runDir, input.uid),
      apparmorProfile: appArmorProfile(security.appArmorProfile),
      ...(security.privileged
        ? { devices: hostDevices() }
        : { seccomp: seccompOf(security.seccompProfile ?? RUNTIME_DEFAULT, containerCapabilities(container)) }),
    });
  };
}

/**
 * The configuration is made while the sandbox is still being built: that /dev/shm is not there yet says nothing. The shim
 * is started after it was mounted, so only a shim without one is of an earlier version: then each container has its own.
 */
function podShm(runDir: string, uid: string): { shmPath?: string } {
  const dir = join(runDir, 'pods', uid);
  const shmPath = join(dir, 'shm');
  const earlier = existsSync(join(dir, 'shim.sock')) && !existsSync(shmPath);
  return earlier ? {} : { shmPath };
}

/** Hard limit of open files: without CAP_SYS_RESOURCE no container can have more. */
function hardNofile(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return hard === undefined || hard === 'unlimited' ? 1_048_576 : Number(hard);
}
