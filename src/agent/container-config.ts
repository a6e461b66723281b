/** The OCI config of one container attempt, with this machine's part in it: seccomp, memory size, descriptor limit. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import defaultProfile from '../../config/seccomp/default.json' with { type: 'json' };
import { containerCapabilities, ociConfig } from '../manifest/oci.ts';
import { type OciSeccomp, resolveSeccomp, type SeccompArch, type SeccompProfile } from '../manifest/seccomp.ts';
import type { ContainerConfigInput } from '../pods/deps.ts';

/** Returns the builder the reconciler is given. Profiles are resolved once per set of capabilities. */
export function containerConfigs(architecture: SeccompArch): (input: ContainerConfigInput) => object {
  const profiles = new Map<string, OciSeccomp>();
  const nodeMemory = totalmem();
  const nofileMax = hardNofile();
  const seccompFor = (caps: string[]): OciSeccomp => {
    const key = caps.join();
    const known = profiles.get(key) ?? resolveSeccomp(defaultProfile as SeccompProfile, { caps, arch: architecture });
    profiles.set(key, known);
    return known;
  };
  return (input) => {
    const container = input.pod.spec.containers.find(({ name }) => name === input.container);
    const seccomp = container && seccompFor(containerCapabilities(container));
    return ociConfig({ ...input, nodeMemory, seccomp, nofileMax });
  };
}

/** Hard limit of open files: without CAP_SYS_RESOURCE no container can have more. */
function hardNofile(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return hard === undefined || hard === 'unlimited' ? 1_048_576 : Number(hard);
}
