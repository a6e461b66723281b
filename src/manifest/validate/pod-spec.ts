/** Validates `spec`. */
import { DEFAULT_GRACE_SECONDS, DEFAULT_RESTART_POLICY } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import type { Container, PodSpec } from '../types.ts';
import { type PodContext, readContainer } from './container.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { dnsLabel } from './names.ts';
import { checkHostPorts } from './ports.ts';
import { present, readBoolean, readInteger, readList, readObject, readOneOf, readString, unlessBlank } from './read.ts';
import { readPodSecurity } from './security.ts';
import { readVolumes } from './volumes.ts';

const PATH = 'spec';
/** Fields that cannot be set yet, as they are when absent. */
const UNREAD: Pick<
  PodSpec,
  | 'initContainers'
  | 'hostPID'
  | 'hostIPC'
  | 'hostUsers'
  | 'setHostnameAsFQDN'
  | 'hostAliases'
  | 'dnsPolicy'
  | 'priority'
  | 'readinessGates'
> = {
  initContainers: [],
  hostPID: false,
  hostIPC: false,
  hostUsers: true,
  setHostnameAsFQDN: false,
  hostAliases: [],
  dnsPolicy: 'ClusterFirst',
  priority: 0,
  readinessGates: [],
};
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'] as const;

export function readPodSpec(issues: Issues, value: unknown): PodSpec | undefined {
  const raw = readObject(issues, PATH, value);
  if (raw === undefined) {
    if (value === undefined || value === null) issues.required(PATH);
    return undefined;
  }
  checkFields(issues, 'PodSpec', raw, PATH);
  const volumes = readVolumes(issues, `${PATH}.volumes`, raw.volumes);
  const hostNetwork = readBoolean(issues, `${PATH}.hostNetwork`, raw.hostNetwork) ?? false;
  const context = { volumes: new Set(volumes.map((volume) => volume.name)), hostNetwork };
  return present({
    ...UNREAD,
    containers: readContainers(issues, `${PATH}.containers`, raw.containers, context),
    restartPolicy: readRestartPolicy(issues, `${PATH}.restartPolicy`, raw.restartPolicy),
    terminationGracePeriodSeconds:
      readInteger(issues, `${PATH}.terminationGracePeriodSeconds`, raw.terminationGracePeriodSeconds) ??
      DEFAULT_GRACE_SECONDS,
    volumes,
    hostNetwork,
    shareProcessNamespace: readBoolean(issues, `${PATH}.shareProcessNamespace`, raw.shareProcessNamespace) ?? false,
    hostname: readHostname(issues, `${PATH}.hostname`, raw.hostname),
    securityContext: readPodSecurity(issues, `${PATH}.securityContext`, raw.securityContext),
  });
}

function readRestartPolicy(issues: Issues, path: string, value: unknown): PodSpec['restartPolicy'] {
  return readOneOf(issues, path, unlessBlank(value), RESTART_POLICIES) ?? DEFAULT_RESTART_POLICY;
}

function readContainers(issues: Issues, path: string, value: unknown, context: PodContext): Container[] {
  const items = readList(issues, path, value, LIMITS.containers);
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) issues.required(path);
  const names = new Set<string>();
  const containers: Container[] = [];
  for (const [i, item] of items.entries()) {
    const container = readContainer(issues, `${path}[${i}]`, item, context);
    if (container === undefined) continue;
    if (container.name !== '' && names.has(container.name)) issues.duplicate(`${path}[${i}].name`, container.name);
    names.add(container.name);
    containers.push(container);
  }
  checkHostPorts(issues, containers);
  return containers;
}

function readHostname(issues: Issues, path: string, value: unknown): string | undefined {
  const hostname = readString(issues, path, value);
  if (hostname === undefined || hostname === '') return undefined;
  const broken = dnsLabel(hostname);
  if (broken !== undefined) issues.invalid(path, hostname, broken);
  return hostname;
}
