/** The pod's hosts, hostname and resolv.conf from the node's files as they are now. */
import { readFileSync } from 'node:fs';
import type { IdentityInput } from '../../pods/deps.ts';
import type { IdentityFiles } from '../../pods/files/pod-files.ts';
import { hostnameFile, hostsFile, resolvConf } from '../../runtime/identity-files.ts';

export function identityFiles({ pod, hostname, shortName, fqdn, podIP }: IdentityInput): IdentityFiles {
  const { spec } = pod;
  const upstream = read('/run/systemd/resolve/resolv.conf');
  return {
    hosts: hostsFile({
      hostname: shortName,
      fqdn,
      ip: podIP,
      aliases: spec.hostAliases,
      nodeHosts: read('/etc/hosts'),
    }),
    hostname: hostnameFile(hostname),
    resolvConf: resolvConf({
      hostNetwork: spec.hostNetwork,
      dnsPolicy: spec.dnsPolicy,
      ...(spec.dnsConfig && { dnsConfig: spec.dnsConfig }),
      nodeResolv: read('/etc/resolv.conf'),
      ...(upstream !== '' && { upstreamResolv: upstream }),
    }),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
