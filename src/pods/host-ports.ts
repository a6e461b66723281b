/** Ports a pod takes on the node itself, and whether two pods want the same one. */
import type { Pod } from '../manifest/types.ts';

export interface HostPort {
  ip: string;
  port: number;
  protocol: string;
}

const ANY = ['', '0.0.0.0', '::'];

/** With hostNetwork every containerPort is the node's; otherwise only those with a hostPort are. */
export const hostPorts = ({ spec }: Pod): HostPort[] =>
  spec.containers.flatMap(({ ports }) =>
    ports.flatMap(({ containerPort, hostPort, hostIP, protocol }) => {
      const port = spec.hostNetwork ? (hostPort ?? containerPort) : hostPort;
      return port === undefined ? [] : [{ ip: hostIP ?? '', port, protocol }];
    }),
  );

/** Key is (protocol, port, address), where the unspecified address overlaps all (kubelet `NodePorts`). */
export const overlaps = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || ANY.includes(a.ip) || ANY.includes(b.ip));
