/** AppArmor profiles of containers, where the kernel has it. */
import { readFileSync } from 'node:fs';
import { ContainerConfigError } from '../../manifest/oci/types.ts';
import type { SecurityProfile } from '../../manifest/types/security.ts';

/** What `RuntimeDefault` stands for: a profile of this name, loaded by the node's own means. */
const DEFAULT = 'edgepod-default';

/** The profile a container's process enters; undefined for none. Throws ContainerConfigError where it cannot be enforced. */
export function appArmorProfile(wanted: SecurityProfile | undefined): string | undefined {
  if (wanted === undefined || wanted.type === 'Unconfined') return undefined;
  if (!hasAppArmor()) throw new ContainerConfigError('Cannot enforce AppArmor: AppArmor is not enabled on the host');
  const name = wanted.type === 'Localhost' ? (wanted.localhostProfile ?? '') : DEFAULT;
  // Lines are "name (mode)".
  const loaded = read('/sys/kernel/security/apparmor/profiles').split('\n');
  if (!loaded.some((line) => line.startsWith(`${name} (`)))
    throw new ContainerConfigError(`Cannot enforce AppArmor: profile "${name}" is not loaded on the host`);
  return name;
}

export function hasAppArmor(): boolean {
  return read('/sys/module/apparmor/parameters/enabled').trim() === 'Y';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
