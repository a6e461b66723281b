/** Validates `securityContext` of a pod and of a container. */
import { CAPABILITIES } from '../oci/capabilities.ts';
import type { PodSecurityContext, SecurityContext } from '../types.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { present, type RawObject, readBoolean, readInteger, readList, readObject, readOneOf } from './read.ts';

const NAMES = ['ALL', ...CAPABILITIES];

export function readPodSecurity(issues: Issues, path: string, value: unknown): PodSecurityContext | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'PodSecurityContext', raw, path);
  return notEmpty(readIds(issues, path, raw));
}

export function readSecurity(issues: Issues, path: string, value: unknown): SecurityContext | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'SecurityContext', raw, path);
  const context = {
    ...readIds(issues, path, raw),
    ...present({
      readOnlyRootFilesystem: readBoolean(issues, `${path}.readOnlyRootFilesystem`, raw.readOnlyRootFilesystem),
      privileged: readBoolean(issues, `${path}.privileged`, raw.privileged),
      allowPrivilegeEscalation: readBoolean(issues, `${path}.allowPrivilegeEscalation`, raw.allowPrivilegeEscalation),
      capabilities: readCapabilities(issues, `${path}.capabilities`, raw.capabilities),
    }),
  };
  checkEscalation(issues, `${path}.allowPrivilegeEscalation`, context);
  return notEmpty(context);
}

function readIds(issues: Issues, path: string, raw: RawObject): PodSecurityContext {
  return present({
    runAsUser: readInteger(issues, `${path}.runAsUser`, raw.runAsUser),
    runAsGroup: readInteger(issues, `${path}.runAsGroup`, raw.runAsGroup),
  });
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

function notEmpty<T extends object>(object: T): T | undefined {
  return Object.keys(object).length > 0 ? object : undefined;
}
