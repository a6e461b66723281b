/**
 * The node's packet filter rules for pods, as one nftables table of our own. Everything is IPv4, in family `inet` (or `ip`
 * on kernels whose NAT lacks inet, before Linux 5.2).
 * In nft's own language and not in JSON: nft 1.0.6 (Debian 12) cannot read a map with concatenated data from JSON, not
 * even the one it has printed, and crashes on some forms of it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RuntimeError } from '../errors.ts';
import { parseAddress, parseCidr } from './subnet.ts';

/** A port of the node that leads to a pod. */
export interface PublishedPort {
  protocol: 'tcp' | 'udp' | 'sctp';
  /** One address of the node; absent: all of them. */
  hostIp?: string | undefined;
  port: number;
  podIp: string;
  podPort: number;
}

export type Family = 'inet' | 'ip';

export interface TableName {
  family: Family;
  table: string;
}

export interface RulesetInput extends TableName {
  bridge: string;
  /** Pod subnet, `10.88.0.0/24`. */
  subnet: string;
  published?: PublishedPort[];
}

/** Map of the table: protocol and port, on every address of the node → pod address and port. */
const ANYWHERE = 'hostports';
/** The same for ports published on one address only. */
const AT_ADDRESS = 'hostports_at';

const execute = promisify(execFile);

/**
 * The whole table as nft input: replaced in one transaction, so that there is no moment without rules. Pure.
 * - guard: 127.0.0.0/8 is nobody's but the node's own. Published ports need it to be routable towards the bridge, and
 *   without this a pod could reach what listens on the node's loopback only (CVE-2020-8558).
 * - prerouting/output: published ports, by a map lookup; for what arrives and for what the node itself sends.
 * - postrouting: what pods send out of their subnet leaves with the node's address. The answer of a pod to a
 *   neighbour, or to the node's loopback, has to come back through the node's translation: those get its address too.
 * - forward: nobody outside reaches a pod unasked. Forwarding is switched on for the whole node, so without this rule
 *   every machine on the board's networks could route itself to every port of every pod.
 */
export function ruleset({ family, table, bridge, subnet, published = [] }: RulesetInput): string {
  const name = `${family} ${identifier(table)}`;
  const port = interfaceName(bridge);
  const pods = cidr(subnet);
  const elements = (map: string) => {
    const list = published.filter((item) => mapOf(item) === map).map((item) => `${key(item)} : ${value(item)}`);
    return list.length > 0 ? `elements = { ${list.join(', ')} }` : '';
  };
  const lookups = `fib daddr type local dnat ip to meta l4proto . ip daddr . th dport map @${AT_ADDRESS}
    fib daddr type local dnat ip to meta l4proto . th dport map @${ANYWHERE}`;
  // "table" before "delete": deleting one that is not there would fail the transaction.
  return `table ${name}
delete table ${name}
table ${name} {
  map ${ANYWHERE} {
    type inet_proto . inet_service : ipv4_addr . inet_service
    ${elements(ANYWHERE)}
  }
  map ${AT_ADDRESS} {
    type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
    ${elements(AT_ADDRESS)}
  }
  chain guard {
    type filter hook prerouting priority -300; policy accept;
    iifname ${port} ip saddr 127.0.0.0/8 drop
    iifname ${port} ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ${lookups}
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ${lookups}
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    ip saddr ${pods} ip daddr != ${pods} masquerade
    ip saddr ${pods} ip daddr ${pods} ct status dnat masquerade
    ip saddr 127.0.0.0/8 ip daddr ${pods} masquerade
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

/** How many rules each chain of `ruleset` has. */
const RULES: Record<string, number> = { guard: 2, prerouting: 2, output: 2, postrouting: 3, forward: 3 };

/** Whether a listing of the table (`nft list table`) still has every rule and published port of ours. Pure. */
export function isIntact(listing: string, published: PublishedPort[]): boolean {
  const blocks = new Map(
    [...listing.matchAll(/^\s*(?:chain|map) (\S+) \{\n([\s\S]*?)^\s*\}$/gm)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  );
  const rulesOf = (body: string) =>
    body.split('\n').filter((line) => line.trim() !== '' && !/^\s*type /.test(line)).length;
  const chains = Object.entries(RULES).every(([chain, count]) => rulesOf(blocks.get(chain) ?? '') === count);
  const elements = (map: string) => [...(blocks.get(map) ?? '').matchAll(/ : \d+\.\d+\.\d+\.\d+ \. \d+/g)].length;
  return (
    chains && [ANYWHERE, AT_ADDRESS].every((map) => elements(map) === published.filter((p) => mapOf(p) === map).length)
  );
}

/** Adds published ports to a table that is there; all of them or none. */
export const addition = ({ family, table }: TableName, published: PublishedPort[]): string =>
  published
    .map((item) => `add element ${family} ${identifier(table)} ${mapOf(item)} { ${key(item)} : ${value(item)} }\n`)
    .join('');

/** Takes published ports out of a table that is there; one that is not published fails all of it. */
export const withdrawal = ({ family, table }: TableName, published: PublishedPort[]): string =>
  published.map((item) => `delete element ${family} ${identifier(table)} ${mapOf(item)} { ${key(item)} }\n`).join('');

/** Whether the tool and the kernel would take the rules. Changes nothing. @throws RuntimeError as `runNft` */
export async function checkNft(names: Omit<RulesetInput, 'family'>): Promise<void> {
  const check = (family: Family) => runNft(ruleset({ family, ...names }), { check: true });
  await check('inet').catch(async (error: unknown) => {
    // The first refusal is the one worth reading when the older family does not work either.
    await check('ip').catch(() => {
      throw error;
    });
  });
}

/** Removes the table; one that is not there is no error. */
export const removal = ({ family, table }: TableName): string =>
  `table ${family} ${identifier(table)}\ndelete table ${family} ${identifier(table)}\n`;

export const listing = ({ family, table }: TableName): string => `list table ${family} ${identifier(table)}`;

/**
 * Runs one transaction and returns what nft printed. The text goes as an argument: nft reopens standard input by name,
 * which fails on the socket that Node gives a child as its stdin. An argument holds 128 KiB, more than a thousand
 * published ports.
 * @param check whether the kernel would take it, changing nothing
 * @throws RuntimeError with nft's own words; ENOENT when the tool is not installed
 */
export async function runNft(input: string, { check = false } = {}): Promise<string> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  try {
    const { stdout } = await execute('nft', [...(check ? ['-c'] : []), input], { env, timeout: 30_000 });
    return stdout;
  } catch (error) {
    const { code, signal, stderr = '' } = error as { code?: string | number; signal?: string; stderr?: string };
    const words = stderr.trim().slice(0, 500) || `nft ended with ${signal ?? code}`;
    const detail = code === 'ENOENT' ? 'the nft tool is not installed (Debian package nftables)' : words;
    throw new RuntimeError({ step: 'nft', code: typeof code === 'string' ? code : 'ENFT', detail });
  }
}

const mapOf = ({ hostIp }: PublishedPort): string => (hostIp === undefined ? ANYWHERE : AT_ADDRESS);

const key = ({ protocol, hostIp, port }: PublishedPort): string =>
  [identifier(protocol), ...(hostIp === undefined ? [] : [address(hostIp)]), portNumber(port)].join(' . ');

const value = ({ podIp, podPort }: PublishedPort): string => `${address(podIp)} . ${portNumber(podPort)}`;

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
