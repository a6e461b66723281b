/**
 * The node's packet filter rules for pods, as one nftables table that is replaced as a whole in one transaction.
 * Everything is IPv4, in family `inet` (or `ip` on kernels whose NAT lacks inet, before Linux 5.2).
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RuntimeError } from '../errors.ts';

export interface HostPort {
  protocol: 'tcp' | 'udp' | 'sctp';
  port: number;
  podIp: string;
  podPort: number;
}

export interface RulesetInput {
  family: 'inet' | 'ip';
  table: string;
  bridge: string;
  /** Pod subnet, `10.88.0.0/24`. */
  subnet: string;
  /** Published ports; the map exists also when there are none, so that elements can be added later. */
  hostPorts?: HostPort[];
}

const execute = promisify(execFile);

/** Map in the table: node port → pod address and port. */
export const HOST_PORT_MAP = 'hostports';

const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const meta = (key: string) => ({ meta: { key } });
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });

/**
 * The table as `nft -j` input. Pure.
 * - postrouting: what pods send out of their subnet leaves with the node's address.
 * - forward: nobody outside reaches a pod unasked. Forwarding is switched on for the whole node, so without this rule
 *   every machine on the board's networks could route itself to every port of every pod.
 * - prerouting/output: published ports, by one map lookup.
 */
export function ruleset({ family, table, bridge, subnet, hostPorts = [] }: RulesetInput): object {
  const chain = (name: string, type: string, hook: string, prio: number) => ({
    add: { chain: { family, table, name, type, hook, prio, policy: 'accept' } },
  });
  const rule = (name: string, expr: object[]) => ({ add: { rule: { family, table, chain: name, expr } } });
  const [addr = '', len = ''] = subnet.split('/');
  const pods = { prefix: { addr, len: Number(len) } };
  const toHostPort = [
    match({ fib: { result: 'type', flags: 'daddr' } }, 'local'),
    {
      dnat: {
        family: 'ip',
        addr: { map: { key: { concat: [meta('l4proto'), payload('th', 'dport')] }, data: `@${HOST_PORT_MAP}` } },
      },
    },
  ];
  return {
    nftables: [
      // add before delete: deleting a table that is not there would fail the transaction
      { add: { table: { family, name: table } } },
      { delete: { table: { family, name: table } } },
      { add: { table: { family, name: table } } },
      {
        add: {
          map: {
            family,
            table,
            name: HOST_PORT_MAP,
            type: ['inet_proto', 'inet_service'],
            map: ['ipv4_addr', 'inet_service'],
            ...(hostPorts.length > 0 ? { elem: hostPorts.map(element) } : {}),
          },
        },
      },
      chain('prerouting', 'nat', 'prerouting', -100),
      chain('output', 'nat', 'output', -100),
      chain('postrouting', 'nat', 'postrouting', 100),
      chain('forward', 'filter', 'forward', 0),
      rule('prerouting', toHostPort),
      rule('output', toHostPort),
      rule('postrouting', [
        match(payload('ip', 'saddr'), pods),
        match(payload('ip', 'daddr'), pods, '!='),
        { masquerade: null },
      ]),
      rule('forward', [match({ ct: { key: 'state' } }, ['established', 'related'], 'in'), { accept: null }]),
      rule('forward', [match({ ct: { key: 'status' } }, 'dnat', 'in'), { accept: null }]),
      rule('forward', [match(meta('oifname'), bridge), match(meta('iifname'), bridge, '!='), { drop: null }]),
    ],
  };
}

const element = ({ protocol, port, podIp, podPort }: HostPort): [object, object] => [
  { concat: [protocol, port] },
  { concat: [podIp, podPort] },
];

/** Removes the table; one that is not there is no error. */
export const removal = (family: 'inet' | 'ip', table: string): object => ({
  nftables: [{ add: { table: { family, name: table } } }, { delete: { table: { family, name: table } } }],
});

/**
 * Runs one transaction. The document goes as an argument: nft reopens standard input by name, which fails on the
 * socket that Node gives a child as its stdin. An argument holds 128 KiB, some hundred published ports.
 * @throws RuntimeError with nft's own words; ENOENT when the tool is not installed
 */
export async function runNft(input: object): Promise<void> {
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  try {
    await execute('nft', ['-j', JSON.stringify(input)], { env, timeout: 30_000 });
  } catch (error) {
    const { code, stderr = '', stdout = '' } = error as { code?: string | number; stderr?: string; stdout?: string };
    const words = (stderr.trim() || stdout.trim() || String(error)).slice(0, 500);
    const detail = code === 'ENOENT' ? 'the nft tool is not installed (Debian package nftables)' : words;
    throw new RuntimeError({ step: 'nft', code: typeof code === 'string' ? code : 'ENFT', detail, cause: error });
  }
}
