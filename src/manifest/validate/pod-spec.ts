/** Validates `spec`. */
import { DEFAULT_GRACE_SECONDS, DEFAULT_RESTART_POLICY, SYSTEM_PRIORITIES } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import type { Container } from '../types/container.ts';
import type { PodSpec } from '../types/pod.ts';
import { withoutAccountVolume } from './account-volume.ts';
import { type PodContext, readContainer } from './container.ts';
import { checkContradictions } from './contradictions.ts';
import { readDns } from './dns.ts';
import { readEphemeralContainers } from './ephemeral.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { qualifiedName } from './names.ts';
import { readNamespaces } from './namespaces.ts';
import { readPodResources } from './pod-resources.ts';
import { checkHostPorts } from './ports.ts';
import {
  present,
  type RawObject,
  readInteger,
  readList,
  readNamed,
  readObject,
  readOneOf,
  readRequiredObject,
  readString,
  unlessBlank,
} from './read.ts';
import { readOverhead } from './resources.ts';
import { RESTART_POLICIES } from './restart.ts';
import { readPodSecurity } from './security.ts';
import { readVolumes } from './volumes.ts';

const PATH = 'spec';

export function readPodSpec(issues: Issues, value: unknown): PodSpec | undefined {
  const raw = readObject(issues, PATH, value);
  if (raw === undefined) {
    if (value === undefined || value === null) issues.required(PATH);
    return undefined;
  }
  checkFields(issues, 'PodSpec', raw, PATH);
  const volumes = readVolumes(issues, `${PATH}.volumes`, raw.volumes);
  const namespaces = readNamespaces(issues, PATH, raw);
  const restartPolicy = readRestartPolicy(issues, `${PATH}.restartPolicy`, raw.restartPolicy);
  const graceSeconds = readGrace(issues, `${PATH}.terminationGracePeriodSeconds`, raw) ?? DEFAULT_GRACE_SECONDS;
  const context: PodContext = {
    volumes: new Map(volumes.map((volume) => [volume.name, volume])),
    hostNetwork: namespaces.hostNetwork,
    hostUsers: namespaces.hostUsers,
    restartPolicy,
    graceSeconds,
  };
  const { initContainers, containers } = readContainers(issues, raw, context);
  const spec: PodSpec = present({
    initContainers,
    containers,
    ephemeralContainers: readEphemeralContainers(issues, `${PATH}.ephemeralContainers`, raw.ephemeralContainers, {
      pod: context,
      others: [...initContainers, ...containers],
    }),
    restartPolicy,
    terminationGracePeriodSeconds: graceSeconds,
    activeDeadlineSeconds: readInteger(issues, `${PATH}.activeDeadlineSeconds`, raw.activeDeadlineSeconds, {
      min: 1,
      max: LIMITS.count,
    }),
    volumes,
    ...namespaces,
    ...readDns(issues, PATH, raw),
    priority: readPriority(issues, PATH, raw),
    readinessGates: readGates(issues, `${PATH}.readinessGates`, raw.readinessGates),
    resources: readPodResources(issues, `${PATH}.resources`, raw.resources, { initContainers, containers }),
    overhead: readOverhead(issues, `${PATH}.overhead`, raw.overhead),
    securityContext: readPodSecurity(issues, `${PATH}.securityContext`, raw.securityContext, namespaces),
  });
  // What contradicts something elsewhere, once everything is right by itself.
  if (issues.errors.length === 0) checkContradictions(issues, spec);
  return withoutAccountVolume(spec, raw.volumes);
}

function readRestartPolicy(issues: Issues, path: string, value: unknown): PodSpec['restartPolicy'] {
  return readOneOf(issues, path, unlessBlank(value), RESTART_POLICIES) ?? DEFAULT_RESTART_POLICY;
}

function readGrace(issues: Issues, path: string, raw: RawObject): number | undefined {
  return readInteger(issues, path, raw.terminationGracePeriodSeconds);
}

function readContainers(
  issues: Issues,
  raw: RawObject,
  context: PodContext,
): Pick<PodSpec, 'initContainers' | 'containers'> {
  const names = new Set<string>();
  const read = (field: 'initContainers' | 'containers', role: 'init' | 'regular') =>
    readList(issues, `${PATH}.${field}`, raw[field], LIMITS.containers).flatMap((item, i): Container[] => {
      const container = readContainer(issues, `${PATH}.${field}[${i}]`, item, context, role);
      if (container === undefined) return [];
      if (container.name !== '' && names.has(container.name))
        issues.duplicate(`${PATH}.${field}[${i}].name`, container.name);
      names.add(container.name);
      return [container];
    });
  const initContainers = read('initContainers', 'init');
  const containers = read('containers', 'regular');
  const given = raw.containers;
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0))
    issues.required(`${PATH}.containers`);
  checkHostPorts(issues, { initContainers, containers });
  return { initContainers, containers };
}

/** A class of Kubernetes' own stands for a number; of any other only the number, if given, says something here. */
function readPriority(issues: Issues, path: string, raw: RawObject): number {
  const range = { min: -LIMITS.count - 1, max: LIMITS.count };
  const priority = readInteger(issues, `${path}.priority`, raw.priority, range);
  const name = readString(issues, `${path}.priorityClassName`, unlessBlank(raw.priorityClassName));
  const known = name === undefined ? undefined : SYSTEM_PRIORITIES.get(name);
  if (known !== undefined && priority !== undefined && priority !== known)
    issues.invalid(`${path}.priority`, priority, `must be ${known}, or absent, with priorityClassName ${name}`);
  if (name !== undefined && known === undefined && priority === undefined)
    issues.warn(`${path}.priorityClassName`, `ignored: a device knows no class ${name}: give spec.priority as well`);
  return priority ?? known ?? 0;
}

function readGates(issues: Issues, path: string, value: unknown): PodSpec['readinessGates'] {
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const raw = readRequiredObject(issues, `${path}[${i}]`, item);
    if (raw === undefined) return [];
    checkFields(issues, 'PodReadinessGate', raw, `${path}[${i}]`);
    const conditionType = readNamed(issues, `${path}[${i}].conditionType`, raw.conditionType, qualifiedName);
    return conditionType === undefined ? [] : [{ conditionType }];
  });
}
