/** From the host ports of a pod to packet filter elements, and to the connections that have to be forgotten. Pure. */
import type { AttachedPod } from '../runtime.ts';
import type { PublishedPort } from './nft.ts';
import { parseAddress } from './subnet.ts';

const UDP = 17;
const ANY = ['', '0.0.0.0', '::'];

export const publishedPorts = ({ ip, hostPorts }: AttachedPod): PublishedPort[] =>
  hostPorts.map(({ hostIP, hostPort, containerPort, protocol }) => ({
    protocol: protocol.toLowerCase() as PublishedPort['protocol'],
    ...(!ANY.includes(hostIP) && { hostIp: hostIP }),
    port: hostPort,
    podIp: ip,
    podPort: containerPort,
  }));

/**
 * Datagrams to the published ports, and everything the pod answers: as `forgetFlows` takes them. Connections that pods
 * have among themselves are not touched.
 */
export const forgottenFlows = (published: PublishedPort[]): number[] =>
  published
    .filter(({ protocol }) => protocol === 'udp')
    .flatMap(({ port, podIp, podPort }) => [UDP, port, 0, UDP, podPort, parseAddress(podIp) ?? 0]);
