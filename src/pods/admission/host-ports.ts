/** Ports a pod takes on the node itself, and whether two want the same one. */
import type { Pod } from '../../manifest/types/pod.ts';
import type { HostPort as PublishedPort } from '../ports.ts';

export interface HostPort {
  ip: string;
  port: number;
  protocol: string;
}

/** A port that a process of the node itself listens on; `by` says which, for people. */
export interface ListeningPort extends HostPort {
  by(): string;
}

const ANY = ['', '0.0.0.0', '::'];

const portsOf = ({ spec }: Pod) => [...spec.initContainers, ...spec.containers].flatMap(({ ports }) => ports);

/** With hostNetwork every containerPort is the node's; otherwise only those with a hostPort are. */
export const hostPorts = (pod: Pod): HostPort[] =>
  portsOf(pod).flatMap(({ containerPort, hostPort, hostIP, protocol }) => {
    const port = pod.spec.hostNetwork ? (hostPort ?? containerPort) : hostPort;
    return port === undefined ? [] : [{ ip: hostIP ?? '', port, protocol }];
  });

/** What leads from the node to the pod: nothing in the node's own network. A port that several name is there once. */
export const publishedPorts = (pod: Pod): PublishedPort[] => {
  if (pod.spec.hostNetwork) return [];
  const published = new Map<string, PublishedPort>();
  for (const { containerPort, hostPort, hostIP, protocol } of portsOf(pod)) {
    if (hostPort === undefined) continue;
    const address = hostIP === undefined || ANY.includes(hostIP) ? '0.0.0.0' : hostIP;
    published.set(`${protocol}/${address}/${hostPort}`, { hostIP: address, hostPort, containerPort, protocol });
  }
  return [...published.values()];
};

/** Key is (protocol, port, address), where the unspecified address overlaps all (kubelet `NodePorts`). */
export const overlaps = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || ANY.includes(a.ip) || ANY.includes(b.ip));
