/** From a probe or hook of the manifest to an address to ask. Pure but for the sandbox it hands on. */
import { findContainer } from '../../manifest/containers.ts';
import type { Container } from '../../manifest/types/container.ts';
import type { Handler, Probe } from '../../manifest/types/probes.ts';
import type { ProbeTarget } from '../ports.ts';
import type { Incarnation } from '../worker/incarnation.ts';

/** Throws when the target cannot be told: a port name nothing has, a pod without an address, no sandbox. */
export const targetOf = (pod: Incarnation, name: string, handler: Handler & Pick<Probe, 'grpc'>): ProbeTarget => {
  const { exec, httpGet, tcpSocket, grpc } = handler;
  const container = findContainer(pod.record.pod.spec, name);
  if (container === undefined) throw new Error(`no container ${name}`);
  if (exec) {
    if (pod.sandbox === undefined) throw new Error('the pod has no sandbox');
    return { exec: { sandbox: pod.sandbox, container: name, command: exec.command } };
  }
  const host = httpGet?.host || tcpSocket?.host || addressOf(pod);
  if (httpGet) {
    const { path, scheme, httpHeaders: headers } = httpGet;
    return { http: { host, port: portOf(container, httpGet.port), path, scheme, headers } };
  }
  if (tcpSocket) return { tcp: { host, port: portOf(container, tcpSocket.port) } };
  if (grpc) return { grpc: { host, port: grpc.port, service: grpc.service } };
  throw new Error('it has none of exec, httpGet, tcpSocket, grpc');
};

/** A number, or the name of one of the container's ports. */
export const portOf = (container: Container, port: number | string): number => {
  if (typeof port === 'number') return port;
  const named = container.ports.find((candidate) => candidate.name === port)?.containerPort;
  if (named === undefined) throw new Error(`container ${container.name} has no port named "${port}"`);
  return named;
};

/** The pod's own address; in the node's network the node's. */
const addressOf = ({ record, parts }: Incarnation): string => {
  const ip = record.pod.spec.hostNetwork ? (parts.node.hostIP() ?? '127.0.0.1') : record.ip;
  if (ip === undefined) throw new Error('the pod has no address');
  return ip;
};
