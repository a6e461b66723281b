/** Validates `ports`. */
import { DEFAULT_PROTOCOL } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import type { ContainerPort } from '../types.ts';
import { checkFields } from './field-check.ts';
import { type Issues, show } from './issues.ts';
import { portName } from './names.ts';
import { present, readInteger, readList, readObject, readOneOf, readString, unlessBlank } from './read.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const PORT_RANGE = { min: 1, max: 65535 };

/** @param hostNetwork whether the pod shares the node's network: a port is then the node's own */
export function readPorts(issues: Issues, path: string, value: unknown, hostNetwork: boolean): ContainerPort[] {
  const names = new Set<string>();
  const ports: ContainerPort[] = [];
  for (const [i, item] of readList(issues, path, value, LIMITS.ports).entries()) {
    const port = readPort(issues, `${path}[${i}]`, item, hostNetwork);
    if (port?.name !== undefined && names.has(port.name)) issues.duplicate(`${path}[${i}].name`, port.name);
    if (port?.name !== undefined) names.add(port.name);
    if (port !== undefined) ports.push(port);
  }
  return ports;
}

/** Two containers of a pod cannot have one port of the node. */
export function checkHostPorts(issues: Issues, containers: readonly { ports: readonly ContainerPort[] }[]): void {
  const taken = new Set<string>();
  for (const [i, { ports }] of containers.entries())
    for (const [j, { hostPort, protocol, hostIP = '' }] of ports.entries()) {
      if (hostPort === undefined) continue;
      const key = `${protocol}/${hostIP}/${hostPort}`;
      if (taken.has(key)) issues.duplicate(`spec.containers[${i}].ports[${j}].hostPort`, hostPort);
      taken.add(key);
    }
}

function readPort(issues: Issues, path: string, item: unknown, hostNetwork: boolean): ContainerPort | undefined {
  const raw = readObject(issues, path, item);
  if (raw === undefined) {
    if (item === null || item === undefined) issues.required(path);
    return undefined;
  }
  checkFields(issues, 'ContainerPort', raw, path);
  if (raw.containerPort === undefined || raw.containerPort === null) issues.required(`${path}.containerPort`);
  const containerPort = readInteger(issues, `${path}.containerPort`, raw.containerPort, PORT_RANGE);
  const protocol = readOneOf(issues, `${path}.protocol`, unlessBlank(raw.protocol), PROTOCOLS) ?? DEFAULT_PROTOCOL;
  const port = present({
    name: readPortName(issues, `${path}.name`, raw.name),
    containerPort,
    hostPort: readHostPort(issues, `${path}.hostPort`, raw.hostPort, hostNetwork, containerPort),
    protocol,
  });
  return port.containerPort === undefined ? undefined : { ...port, containerPort: port.containerPort };
}

function readPortName(issues: Issues, path: string, value: unknown): string | undefined {
  const name = readString(issues, path, value);
  if (name === undefined || name === '') return undefined;
  const broken = portName(name);
  if (broken !== undefined) issues.invalid(path, name, broken);
  return name;
}

/** With hostNetwork it is the containerPort, said or not; without, nothing forwards it yet. */
function readHostPort(
  issues: Issues,
  path: string,
  value: unknown,
  hostNetwork: boolean,
  containerPort: number | undefined,
): number | undefined {
  if (value === undefined || value === null || value === 0) return hostNetwork ? containerPort : undefined;
  const hostPort = readInteger(issues, path, value, PORT_RANGE);
  if (hostPort === undefined) return undefined;
  if (!hostNetwork)
    issues.error(path, 'not supported: not in this version; use hostNetwork, or reach the port at the pod IP');
  else if (containerPort !== undefined && hostPort !== containerPort)
    issues.invalid(path, hostPort, `must be the containerPort (${show(containerPort)}) when hostNetwork is true`);
  return hostPort;
}
