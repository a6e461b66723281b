/**
 * The node's packet filter rules for pods, as one nftables table that is replaced as a whole in one transaction.
 * Everything is IPv4, in family `inet` (or `ip` on kernels whose NAT lacks inet, before Linux 5.2).
 * In nft's own language and not in JSON: nft 1.0.6 (Debian 12) cannot read a map with concatenated data from JSON, not
 * even the one it has printed, and crashes on some forms of it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RuntimeError } from '../errors.ts';
import { parseAddress, parseCidr } from './subnet.ts';

export interface HostPort {
  protocol: 'tcp' | 'udp' | 'sctp';
  port: number;
  podIp: string;
  podPort: number;
}

export type Family = 'inet' | 'ip';

export interface RulesetInput {
  family: Family;
  table: string;
  bridge: string;
  /** Pod subnet, `10.88.0.0/24`. */
  subnet: string;
  /** Published ports; the map exists also when there are none, so that elements can be added later. */
  hostPorts?: HostPort[];
}

/** Map in the table: protocol and node port → pod address and port. */
export const HOST_PORT_MAP = 'hostports';

const execute = promisify(execFile);

/**
 * The table as nft input. Pure.
 * - postrouting: what pods send out of their subnet leaves with the node's address.
 * - forward: nobody outside reaches a pod unasked. Forwarding is switched on for the whole node, so without this rule
 *   every machine on the board's networks could route itself to every port of every pod.
 * - prerouting/output: published ports, by one map lookup.
 */
export function ruleset({ family, table, bridge, subnet, hostPorts = [] }: RulesetInput): string {
  const name = `${family} ${identifier(table)}`;
  const port = interfaceName(bridge);
  const pods = cidr(subnet);
  const elements = hostPorts.map(mapElement).join(', ');
  // "table" before "delete": deleting one that is not there would fail the transaction.
  return `table ${name}
delete table ${name}
table ${name} {
  map ${HOST_PORT_MAP} {
    type inet_proto . inet_service : ipv4_addr . inet_service
    ${elements ? `elements = { ${elements} }` : ''}
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    fib daddr type local dnat ip to meta l4proto . th dport map @${HOST_PORT_MAP}
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local dnat ip to meta l4proto . th dport map @${HOST_PORT_MAP}
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${pods} ip daddr != ${pods} masquerade
  }
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related accept
    ct status dnat accept
    oifname ${port} iifname != ${port} drop
  }
}
`;
}

/** Removes the table; one that is not there is no error. */
export const removal = (family: Family, table: string): string =>
  `table ${family} ${identifier(table)}\ndelete table ${family} ${identifier(table)}\n`;

/**
 * Runs one transaction. The text goes as an argument: nft reopens standard input by name, which fails on the socket
 * that Node gives a child as its stdin. An argument holds 128 KiB, more than a thousand published ports.
 * @throws RuntimeError with nft's own words; ENOENT when the tool is not installed
 */
export async function runNft(input: string): Promise<void> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  try {
    await execute('nft', [input], { env, timeout: 30_000 });
  } catch (error) {
    const { code, signal, stderr = '' } = error as { code?: string | number; signal?: string; stderr?: string };
    const words = stderr.trim().slice(0, 500) || `nft ended with ${signal ?? code}`;
    const detail = code === 'ENOENT' ? 'the nft tool is not installed (Debian package nftables)' : words;
    throw new RuntimeError({ step: 'nft', code: typeof code === 'string' ? code : 'ENFT', detail });
  }
}

const mapElement = ({ protocol, port, podIp, podPort }: HostPort): string =>
  `${identifier(protocol)} . ${portNumber(port)} : ${address(podIp)} . ${portNumber(podPort)}`;

// Everything that gets into the text is checked, though it all comes from the agent: a rule set is no place for trust.

function checked(value: string, valid: boolean, what: string): string {
  if (valid) return value;
  throw new RuntimeError({ step: 'nft', code: 'EINVAL', detail: `"${value}" is no ${what}` });
}

const identifier = (text: string) => checked(text, /^[a-z][a-z0-9_-]{0,62}$/.test(text), 'name');
const interfaceName = (text: string) => `"${checked(text, /^[a-zA-Z0-9_.-]{1,15}$/.test(text), 'interface name')}"`;
const cidr = (text: string) => checked(text, parseCidr(text) !== undefined, 'subnet');
const address = (text: string) => checked(text, parseAddress(text) !== undefined, 'address');
const portNumber = (port: number) =>
  checked(String(port), Number.isInteger(port) && port > 0 && port < 65536, 'port number');
