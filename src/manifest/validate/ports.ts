/** Validates `ports`. */
import { isIPv4 } from 'node:net';
import { DEFAULT_PROTOCOL } from '../defaults.ts';
import { LIMITS } from '../limits.ts';
import { isSidecar } from '../requests.ts';
import type { Container, ContainerPort } from '../types/container.ts';
import { checkFields } from './field-check.ts';
import { type Issues, show } from './issues.ts';
import { portName } from './names.ts';
import {
  present,
  readInteger,
  readList,
  readOneOf,
  readOptionalNamed,
  readRequiredObject,
  unlessBlank,
} from './read.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const PORT_RANGE = { min: 1, max: 65535 };
/** Every address of the device. */
const ANY = '0.0.0.0';

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

/**
 * Two containers that run together cannot have one port of the device, nor can one container have it twice. An address
 * is not said: it is all of them.
 */
export function checkHostPorts(
  issues: Issues,
  { initContainers, containers }: { initContainers: readonly Container[]; containers: readonly Container[] },
): void {
  const taken: Taken[] = [];
  const claim = (path: string, { ports }: Container, held: Taken[]) => {
    for (const [j, port] of ports.entries()) {
      if (port.hostPort === undefined) continue;
      const wanted = { ...port, hostPort: port.hostPort, hostIP: port.hostIP ?? ANY };
      if (held.some((other) => clash(wanted, other))) issues.duplicate(`${path}.ports[${j}].hostPort`, port.hostPort);
      held.push(wanted);
    }
  };
  for (const [i, container] of initContainers.entries())
    claim(`spec.initContainers[${i}]`, container, isSidecar(container) ? taken : []);
  for (const [i, container] of containers.entries()) claim(`spec.containers[${i}]`, container, taken);
}

type Taken = Required<Pick<ContainerPort, 'hostPort' | 'hostIP' | 'protocol'>>;

function clash(a: Taken, b: Taken): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort) return false;
  return a.hostIP === b.hostIP || a.hostIP === ANY || b.hostIP === ANY;
}

function readPort(issues: Issues, path: string, item: unknown, hostNetwork: boolean): ContainerPort | undefined {
  const raw = readRequiredObject(issues, path, item);
  if (raw === undefined) return undefined;
  checkFields(issues, 'ContainerPort', raw, path);
  if (raw.containerPort === undefined || raw.containerPort === null) issues.required(`${path}.containerPort`);
  const containerPort = readInteger(issues, `${path}.containerPort`, raw.containerPort, PORT_RANGE);
  const protocol = readOneOf(issues, `${path}.protocol`, unlessBlank(raw.protocol), PROTOCOLS) ?? DEFAULT_PROTOCOL;
  const port = present({
    name: readOptionalNamed(issues, `${path}.name`, raw.name, portName),
    containerPort,
    hostPort: readHostPort(issues, `${path}.hostPort`, raw.hostPort, hostNetwork, containerPort),
    hostIP: readOptionalNamed(issues, `${path}.hostIP`, raw.hostIP, ipv4),
    protocol,
  });
  return port.containerPort === undefined ? undefined : { ...port, containerPort: port.containerPort };
}

/** The pod network has no IPv6. */
function ipv4(text: string): string | undefined {
  return isIPv4(text) ? undefined : 'must be an IPv4 address';
}

/** With hostNetwork it is the containerPort, said or not. */
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
  if (hostNetwork && containerPort !== undefined && hostPort !== containerPort)
    issues.invalid(path, hostPort, `must be the containerPort (${show(containerPort)}) when hostNetwork is true`);
  return hostPort;
}
