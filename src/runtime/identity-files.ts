/**
 * Contents of a pod's /etc/hosts, /etc/hostname and /etc/resolv.conf, word for word as the kubelet writes them
 * (kubelet_pods.go managedHostsFileContent, dns.go). Pure but for `readNodeFiles`.
 */
import { readFile } from 'node:fs/promises';

export interface HostAlias {
  ip: string;
  hostnames?: string[];
}

export interface HostsInput {
  hostname: string;
  /** `hostname.subdomain.…` where the pod has one. */
  fqdn?: string | undefined;
  /** Addresses of the pod; undefined with hostNetwork, which gets the node's file. */
  ip?: string | undefined;
  aliases?: HostAlias[] | undefined;
  /** The node's /etc/hosts. */
  nodeHosts: string;
}

export interface DnsConfig {
  nameservers?: string[];
  searches?: string[];
  options?: { name: string; value?: string }[];
}

export interface ResolvInput {
  /** `ClusterFirst` and `ClusterFirstWithHostNet` fall back to `Default`: there is no cluster DNS on a board. */
  dnsPolicy?: string | undefined;
  dnsConfig?: DnsConfig | undefined;
  hostNetwork: boolean;
  /** The node's /etc/resolv.conf. */
  nodeResolv: string;
  /** What the node's loopback stub forwards to (/run/systemd/resolve/resolv.conf), where there is one. */
  upstreamResolv?: string | undefined;
}

export interface NodeFiles {
  hosts: string;
  resolv: string;
  upstreamResolv?: string;
}

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;

export function hostsFile({ hostname, fqdn, ip, aliases = [], nodeHosts }: HostsInput): string {
  const own = ip === undefined ? hostNetworkHosts(nodeHosts) : podHosts(ip, hostname, fqdn);
  const extra = aliases.map(({ ip: address, hostnames = [] }) => `${[address, ...hostnames].join('\t')}\n`);
  return extra.length === 0 ? own : `${own}\n# Entries added by HostAliases.\n${extra.join('')}`;
}

const hostNetworkHosts = (nodeHosts: string): string => `# Kubernetes-managed hosts file (host network).\n${nodeHosts}`;

const podHosts = (ip: string, hostname: string, fqdn: string | undefined): string =>
  [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    [ip, ...(fqdn ? [fqdn] : []), hostname].join('\t'),
    '',
  ].join('\n');

export const hostnameFile = (hostname: string): string => `${hostname}\n`;

/** `None` takes only dnsConfig; everything else the node's settings with dnsConfig added to them. */
export function resolvConf({
  dnsPolicy,
  dnsConfig = {},
  hostNetwork,
  nodeResolv,
  upstreamResolv,
}: ResolvInput): string {
  const empty: Resolv = { nameservers: [], searches: [], options: [] };
  const base = dnsPolicy === 'None' ? empty : nodeSettings(nodeResolv, upstreamResolv, hostNetwork);
  const nameservers = unique([...base.nameservers, ...(dnsConfig.nameservers ?? [])]).slice(0, MAX_NAMESERVERS);
  const searches = limitSearches(unique([...base.searches, ...(dnsConfig.searches ?? [])]));
  const options = mergeOptions(base.options, dnsConfig.options ?? []);
  return [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n');
}

interface Resolv {
  nameservers: string[];
  searches: string[];
  /** `ndots:5`, `rotate`. */
  options: string[];
}

/**
 * A nameserver on the node's loopback (systemd-resolved's 127.0.0.53, dnsmasq) is not there in a pod's own network
 * namespace: then the stub's upstream servers are used, and what is still loopback is left out.
 */
function nodeSettings(nodeResolv: string, upstreamResolv: string | undefined, hostNetwork: boolean): Resolv {
  const node = parseResolv(nodeResolv);
  if (hostNetwork || !node.nameservers.some(isLoopback)) return node;
  const upstream = upstreamResolv === undefined ? node : parseResolv(upstreamResolv);
  return {
    nameservers: upstream.nameservers.filter((server) => !isLoopback(server)),
    searches: upstream.searches.length > 0 ? upstream.searches : node.searches,
    options: node.options,
  };
}

/** resolv.conf(5): the last `search` or `domain` line counts; comments start with # or ;. */
export function parseResolv(text: string): Resolv {
  const result: Resolv = { nameservers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [key, ...values] = line.trim().split(/\s+/);
    if (key === 'nameserver' && values[0]) result.nameservers.push(values[0]);
    else if (key === 'search' || key === 'domain') result.searches = values.filter((domain) => domain !== '.');
    else if (key === 'options') result.options.push(...values);
  }
  return result;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

const unique = (values: string[]): string[] => [...new Set(values)];

function limitSearches(searches: string[]): string[] {
  const kept: string[] = [];
  for (const search of searches.slice(0, MAX_SEARCHES)) {
    if ([...kept, search].join(' ').length > MAX_SEARCH_CHARS) break;
    kept.push(search);
  }
  return kept;
}

/** By name; the pod's win. */
function mergeOptions(base: string[], own: { name: string; value?: string }[]): string[] {
  const merged = new Map(base.map((option) => [option.split(':')[0], option]));
  for (const { name, value } of own) merged.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  return [...merged.values()];
}

/** The node's files as they are now; missing ones are empty. */
export async function readNodeFiles(): Promise<NodeFiles> {
  const read = (path: string) => readFile(path, 'utf8').catch(() => undefined);
  const [hosts, resolv, upstreamResolv] = await Promise.all([
    read('/etc/hosts'),
    read('/etc/resolv.conf'),
    read('/run/systemd/resolve/resolv.conf'),
  ]);
  return { hosts: hosts ?? '', resolv: resolv ?? '', ...(upstreamResolv === undefined ? {} : { upstreamResolv }) };
}
