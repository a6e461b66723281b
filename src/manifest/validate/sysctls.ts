/** Validates `sysctls`: only settings that belong to a namespace of the pod, and values that are nothing but numbers. */
import { LIMITS } from '../limits.ts';
import type { PodSpec } from '../types/pod.ts';
import type { PodSecurityContext } from '../types/security.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { readList, readNamed, readRequiredObject, readString } from './read.ts';

type Sysctls = NonNullable<PodSecurityContext['sysctls']>;

const NAME = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
/** Numbers, ranges and lists of them: a line break, `+` or `=` could name another setting (CVE-2022-0811). */
const VALUE = /^-?\d+([ \t,-]\d+)*$/;
const LONGEST = 253;

/** Names are answered with dots, whichever way they were written. */
export function readSysctls(
  issues: Issues,
  path: string,
  value: unknown,
  namespaces: Pick<PodSpec, 'hostNetwork' | 'hostIPC'>,
): Sysctls | undefined {
  const seen = new Set<string>();
  const sysctls = readList(issues, path, value, LIMITS.items).flatMap((item, i): Sysctls => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'Sysctl', raw, at);
    const name = readNamed(issues, `${at}.name`, raw.name, nameRule)?.replaceAll('/', '.');
    const text = readValue(issues, `${at}.value`, raw.value, name);
    if (name === undefined) return [];
    if (seen.has(name)) issues.duplicate(`${at}.name`, name);
    seen.add(name);
    checkNamespace(issues, `${at}.name`, name, namespaces);
    return [{ name, value: text }];
  });
  return sysctls.length > 0 ? sysctls : undefined;
}

function nameRule(text: string): string | undefined {
  if (text.length > LONGEST) return `must be no more than ${LONGEST} characters`;
  return NAME.test(text) ? undefined : "must be words of lower-case letters, digits, '-' and '_', joined by '.' or '/'";
}

function readValue(issues: Issues, path: string, value: unknown, name: string | undefined): string {
  if (value === undefined || value === null) issues.required(path);
  const text = readString(issues, path, value) ?? '';
  const empty = text === '' && (name === 'net.ipv4.ip_local_reserved_ports' || typeof value !== 'string');
  if (!empty && (!VALUE.test(text) || text.length > LONGEST))
    issues.invalid(path, text, "must be numbers, with ' ', ',' or '-' between them");
  return text;
}

function checkNamespace(
  issues: Issues,
  path: string,
  name: string,
  { hostNetwork, hostIPC }: Pick<PodSpec, 'hostNetwork' | 'hostIPC'>,
): void {
  const network = name.startsWith('net.');
  if (network && hostNetwork) issues.invalid(path, name, 'may not be set with hostNetwork');
  else if (isIpc(name) && hostIPC) issues.invalid(path, name, 'may not be set with hostIPC');
  // Which of them a pod may set the board decides when the pod arrives (sysctls.ts).
  else if (!network && !isIpc(name))
    issues.error(path, 'Forbidden: it belongs to the whole device, not to a namespace of the pod');
}

function isIpc(name: string): boolean {
  return /^(kernel\.(msg|sem|shm)|fs\.mqueue\.)/.test(name);
}
