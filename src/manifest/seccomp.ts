/**
 * Seccomp profiles with conditions (config/seccomp/README.md) become plain OCI `linux.seccomp` objects: what holds
 * for the given capabilities and architecture stays, the rest falls away.
 */

/** Architectures as OCI images name them. */
export type SeccompArch = 'amd64' | 'arm64';

export interface SeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  op: string;
}

interface Condition {
  /** Names with or without `CAP_`. */
  caps?: string[];
  arches?: string[];
}

export interface SeccompRule {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: SeccompArg[];
  comment?: string;
  includes?: Condition;
  excludes?: Condition;
}

export interface SeccompProfile {
  comment?: string;
  defaultAction: string;
  defaultErrnoRet?: number;
  archMap?: { architecture: string; subArchitectures?: string[] }[];
  architectures?: string[];
  flags?: string[];
  syscalls?: SeccompRule[];
}

/** OCI runtime-spec `linux.seccomp`. */
export interface OciSeccomp {
  defaultAction: string;
  defaultErrnoRet?: number;
  architectures?: string[];
  flags?: string[];
  syscalls: Pick<SeccompRule, 'names' | 'action' | 'errnoRet' | 'args'>[];
}

/** A profile that cannot be resolved; `path` names the member at fault. */
export class SeccompProfileError extends Error {
  readonly code = 'SECCOMP_PROFILE';
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'SeccompProfileError';
    this.path = path;
  }
}

const NATIVE: Record<SeccompArch, { token: string; runs: string[] }> = {
  amd64: { token: 'SCMP_ARCH_X86_64', runs: ['amd64', 'x86', 'x32'] },
  arm64: { token: 'SCMP_ARCH_AARCH64', runs: ['arm64', 'arm'] },
};
const CONDITION_MEMBERS = ['caps', 'arches'];

/**
 * The OCI object for a container with `caps` (its bounding set; `CAP_` optional) on `arch`. A plain OCI profile
 * comes out unchanged. Throws SeccompProfileError for a condition it does not know: ignoring one could widen what
 * the profile allows.
 */
export function resolveSeccomp(
  profile: SeccompProfile,
  { caps, arch }: { caps: readonly string[]; arch: SeccompArch },
): OciSeccomp {
  const held = new Set(caps.map(capabilityName));
  const runs = NATIVE[arch].runs;
  const holds = (condition: Condition | undefined, every: boolean): boolean => {
    const { caps: wanted = [], arches = [] } = condition ?? {};
    const has = (name: string) => held.has(capabilityName(name));
    if (every) return wanted.every(has) && (arches.length === 0 || arches.some((name) => runs.includes(name)));
    return wanted.some(has) || arches.some((name) => runs.includes(name));
  };
  const rules = profile.syscalls ?? [];
  rules.forEach(checkConditions);
  const syscalls = rules
    .filter(({ includes, excludes }) => holds(includes, true) && !holds(excludes, false))
    .map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet !== undefined && { errnoRet }),
      ...(args && args.length > 0 && { args }),
    }));
  const architectures = architecturesOf(profile, arch);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures && { architectures }),
    ...(profile.flags && { flags: profile.flags }),
    syscalls,
  };
}

/** The machine's own architecture and those its kernel runs beside it; OCI profiles list them themselves. */
function architecturesOf(profile: SeccompProfile, arch: SeccompArch): string[] | undefined {
  if (!profile.archMap) return profile.architectures;
  const { token } = NATIVE[arch];
  const entry = profile.archMap.find(({ architecture }) => architecture === token);
  if (!entry) throw new SeccompProfileError('archMap', `has no entry for ${token}`);
  return [entry.architecture, ...(entry.subArchitectures ?? [])];
}

function checkConditions(rule: SeccompRule, index: number): void {
  for (const member of ['includes', 'excludes'] as const) {
    for (const key of Object.keys(rule[member] ?? {})) {
      if (!CONDITION_MEMBERS.includes(key)) {
        throw new SeccompProfileError(`syscalls[${index}].${member}.${key}`, 'unknown condition');
      }
    }
  }
}

function capabilityName(name: string): string {
  return name.startsWith('CAP_') ? name : `CAP_${name}`;
}
