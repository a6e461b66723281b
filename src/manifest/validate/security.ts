/** Validates `securityContext` of a pod and of a container. */
import { LIMITS } from '../limits.ts';
import { CAPABILITIES } from '../oci/capabilities.ts';
import type { PodSpec } from '../types/pod.ts';
import type { PodSecurityContext, SecurityContext } from '../types/security.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import {
  notEmpty,
  present,
  type RawObject,
  readBoolean,
  readInteger,
  readList,
  readObject,
  readOneOf,
  unlessBlank,
} from './read.ts';
import { readAppArmor, readSeccomp } from './security-profile.ts';
import { readSysctls } from './sysctls.ts';

const NAMES = ['ALL', ...CAPABILITIES];
const MOST_GROUPS = 1024;

/** @param namespaces kernel settings belong to namespaces, and those of the device are not the pod's to set */
export function readPodSecurity(
  issues: Issues,
  path: string,
  value: unknown,
  namespaces: Pick<PodSpec, 'hostNetwork' | 'hostIPC'>,
): PodSecurityContext | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'PodSecurityContext', raw, path);
  const oneOf = <T extends string>(name: string, values: readonly T[]) =>
    readOneOf(issues, `${path}.${name}`, unlessBlank(raw[name]), values);
  return notEmpty({
    ...readCommon(issues, path, raw),
    ...present({
      supplementalGroups: readGroups(issues, `${path}.supplementalGroups`, raw.supplementalGroups),
      supplementalGroupsPolicy: oneOf('supplementalGroupsPolicy', ['Merge', 'Strict'] as const),
      fsGroup: readInteger(issues, `${path}.fsGroup`, raw.fsGroup),
      fsGroupChangePolicy: oneOf('fsGroupChangePolicy', ['Always', 'OnRootMismatch'] as const),
      sysctls: readSysctls(issues, `${path}.sysctls`, raw.sysctls, namespaces),
    }),
  });
}

export function readSecurity(
  issues: Issues,
  path: string,
  value: unknown,
  pod: { hostUsers: boolean },
): SecurityContext | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'SecurityContext', raw, path);
  const context = {
    ...readCommon(issues, path, raw),
    ...present({
      readOnlyRootFilesystem: readBoolean(issues, `${path}.readOnlyRootFilesystem`, raw.readOnlyRootFilesystem),
      privileged: readBoolean(issues, `${path}.privileged`, raw.privileged),
      allowPrivilegeEscalation: readBoolean(issues, `${path}.allowPrivilegeEscalation`, raw.allowPrivilegeEscalation),
      capabilities: readCapabilities(issues, `${path}.capabilities`, raw.capabilities),
      procMount: readProcMount(issues, `${path}.procMount`, raw.procMount, pod),
    }),
  };
  checkEscalation(issues, `${path}.allowPrivilegeEscalation`, context);
  return notEmpty(context);
}

/** What both contexts have. */
function readCommon(issues: Issues, path: string, raw: RawObject): PodSecurityContext {
  return present({
    runAsUser: readInteger(issues, `${path}.runAsUser`, raw.runAsUser),
    runAsGroup: readInteger(issues, `${path}.runAsGroup`, raw.runAsGroup),
    runAsNonRoot: readBoolean(issues, `${path}.runAsNonRoot`, raw.runAsNonRoot),
    seccompProfile: readSeccomp(issues, `${path}.seccompProfile`, raw.seccompProfile),
    appArmorProfile: readAppArmor(issues, `${path}.appArmorProfile`, raw.appArmorProfile),
  });
}

function readGroups(issues: Issues, path: string, value: unknown): number[] | undefined {
  const groups = readList(issues, path, value, MOST_GROUPS).flatMap((item, i) => {
    if (item === null) issues.required(`${path}[${i}]`);
    return readInteger(issues, `${path}[${i}]`, item, { max: LIMITS.id }) ?? [];
  });
  return groups.length > 0 ? groups : undefined;
}

/** The kernel's settings in /proc are the device's own unless the pod has users of its own. */
function readProcMount(
  issues: Issues,
  path: string,
  value: unknown,
  { hostUsers }: { hostUsers: boolean },
): SecurityContext['procMount'] {
  const mount = readOneOf(issues, path, unlessBlank(value), ['Default', 'Unmasked'] as const);
  if (mount === 'Unmasked' && hostUsers) issues.invalid(path, mount, 'hostUsers must be false to use Unmasked');
  return mount;
}

function readCapabilities(issues: Issues, path: string, value: unknown): SecurityContext['capabilities'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'Capabilities', raw, path);
  return notEmpty(
    present({
      add: readCapabilityNames(issues, `${path}.add`, raw.add),
      drop: readCapabilityNames(issues, `${path}.drop`, raw.drop),
    }),
  );
}

/** Without the `CAP_` some people write; undefined when empty. */
function readCapabilityNames(issues: Issues, path: string, value: unknown): string[] | undefined {
  const names: string[] = [];
  for (const [i, item] of readList(issues, path, value, NAMES.length).entries()) {
    const name = typeof item === 'string' ? item.replace(/^CAP_/, '') : item;
    if (item === null) issues.required(`${path}[${i}]`);
    const known = readOneOf(issues, `${path}[${i}]`, name, NAMES);
    if (known !== undefined) names.push(known);
  }
  return names.length > 0 ? names : undefined;
}

/** A promise that cannot be kept is refused (`ValidateSecurityContext`). */
function checkEscalation(issues: Issues, path: string, context: SecurityContext): void {
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged) issues.invalid(path, false, 'cannot be false when privileged is true');
  if (context.capabilities?.add?.includes('SYS_ADMIN'))
    issues.invalid(path, false, 'cannot be false when capabilities.add has SYS_ADMIN');
}
