/** Validates probes. */
import { PROBE_DEFAULTS } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import type { Container, ContainerPort } from '../types/container.ts';
import type { Probe } from '../types/probes.ts';
import { checkFields } from './field-check.ts';
import { HANDLERS, readHandler } from './handlers.ts';
import type { Issues } from './issues.ts';
import { present, type RawObject, readChoice, readInteger, readObject, readString } from './read.ts';

export const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
type Kind = (typeof PROBES)[number];

const KINDS = [...HANDLERS, 'grpc'] as const;

export function readProbes(
  issues: Issues,
  path: string,
  raw: RawObject,
  ports: readonly ContainerPort[],
): Pick<Container, Kind> {
  return present({
    livenessProbe: readProbe(issues, path, 'livenessProbe', raw, ports),
    readinessProbe: readProbe(issues, path, 'readinessProbe', raw, ports),
    startupProbe: readProbe(issues, path, 'startupProbe', raw, ports),
  });
}

function readProbe(
  issues: Issues,
  parent: string,
  kind: Kind,
  container: RawObject,
  ports: readonly ContainerPort[],
): Probe | undefined {
  const path = `${parent}.${kind}`;
  const raw = readObject(issues, path, container[kind]);
  if (raw === undefined) return undefined;
  checkFields(issues, 'Probe', raw, path);
  const count = (name: keyof typeof PROBE_DEFAULTS) =>
    // Go cannot tell 0 from absent: 0 is the default.
    readInteger(issues, `${path}.${name}`, raw[name], { max: LIMITS.count }) || PROBE_DEFAULTS[name];
  const chosen = readChoice(issues, path, raw, KINDS);
  return present({
    ...(chosen === 'grpc' ? { grpc: readGrpc(issues, `${path}.grpc`, raw.grpc) } : {}),
    ...(chosen !== undefined && chosen !== 'grpc' ? readHandler(issues, path, chosen, raw[chosen], ports) : {}),
    initialDelaySeconds: count('initialDelaySeconds'),
    periodSeconds: count('periodSeconds'),
    timeoutSeconds: count('timeoutSeconds'),
    successThreshold: readSuccess(issues, `${path}.successThreshold`, count('successThreshold'), kind),
    failureThreshold: count('failureThreshold'),
    terminationGracePeriodSeconds: readGrace(issues, `${path}.terminationGracePeriodSeconds`, raw, kind),
  });
}

function readSuccess(issues: Issues, path: string, value: number, kind: Kind): number {
  if (kind !== 'readinessProbe' && value !== 1) issues.invalid(path, value, 'must be 1');
  return value;
}

function readGrace(issues: Issues, path: string, raw: RawObject, kind: Kind): number | undefined {
  const grace = readInteger(issues, path, raw.terminationGracePeriodSeconds, { min: 1, max: LIMITS.count });
  if (grace !== undefined && kind === 'readinessProbe')
    issues.invalid(path, grace, 'must not be set for readinessProbes');
  return grace;
}

function readGrpc(issues: Issues, path: string, value: unknown): Probe['grpc'] | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'GRPCAction', raw, path);
  if (raw.port === undefined || raw.port === null) return void issues.required(`${path}.port`);
  const port = readInteger(issues, `${path}.port`, raw.port, { min: 1, max: 65535 });
  const service = readString(issues, `${path}.service`, raw.service) ?? '';
  return port === undefined ? undefined : { port, service };
}
