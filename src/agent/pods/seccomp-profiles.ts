/** Seccomp profiles of containers: the default one, none, or a file of the node's. */
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import defaultProfile from '../../../config/seccomp/default.json' with { type: 'json' };
import { ContainerConfigError } from '../../manifest/oci/types.ts';
import { type OciSeccomp, resolveSeccomp, type SeccompArch, type SeccompProfile } from '../../manifest/seccomp.ts';
import type { SecurityProfile } from '../../manifest/types/security.ts';

const MAX_BYTES = 1 << 20;

/**
 * Returns a function from a container's profile and capabilities to OCI `linux.seccomp`. Files are below `dir` and read
 * at each start, so that a corrected one counts; the default is resolved once per set of capabilities. That function
 * throws ContainerConfigError with the file's path.
 */
export function seccompProfiles(dir: string, arch: SeccompArch) {
  const known = new Map<string, OciSeccomp>();
  const runtimeDefault = (caps: string[]): OciSeccomp => {
    const key = caps.join();
    const profile = known.get(key) ?? resolveSeccomp(defaultProfile as SeccompProfile, { caps, arch });
    known.set(key, profile);
    return profile;
  };
  return ({ type, localhostProfile = '' }: SecurityProfile, caps: string[]): OciSeccomp | undefined => {
    if (type === 'Unconfined') return undefined;
    if (type === 'RuntimeDefault') return runtimeDefault(caps);
    const path = join(dir, localhostProfile);
    try {
      return resolveSeccomp(readProfile(dir, localhostProfile), { caps, arch });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === 'ENOENT' ? 'no such file on the node' : message;
      throw new ContainerConfigError(`cannot load seccomp profile "${path}": ${reason}`);
    }
  };
}

/** The name may be a link, but what is opened lies below `dir` and is a file of bounded size. */
function readProfile(dir: string, name: string): SeccompProfile {
  const root = realpathSync(dir);
  const path = realpathSync(join(root, name));
  if (name.startsWith('/') || name.split('/').includes('..') || !path.startsWith(root + sep))
    throw new Error(`is not below ${dir}`);
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error('is not a file');
    if (stats.size > MAX_BYTES) throw new Error('is larger than 1 MiB');
    return checked(JSON.parse(readFileSync(file, 'utf8')));
  } finally {
    closeSync(file);
  }
}

/** What the rest relies on; names of system calls and actions are the runner's to judge. */
function checked(profile: unknown): SeccompProfile {
  const { defaultAction, syscalls = [] } = (profile ?? {}) as Partial<SeccompProfile>;
  if (typeof defaultAction !== 'string') throw new Error('defaultAction is missing');
  if (!Array.isArray(syscalls)) throw new Error('syscalls is not a list');
  for (const [i, rule] of syscalls.entries()) {
    if (!Array.isArray(rule?.names) || typeof rule.action !== 'string')
      throw new Error(`syscalls[${i}] needs names and an action`);
  }
  return profile as SeccompProfile;
}
