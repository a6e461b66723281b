/** Choosing the pod subnet. IPv4 only; `parseCidr` and the decision are pure, `readRoutes` reads the kernel's table. */
import { readFile } from 'node:fs/promises';
import { RuntimeError } from '../errors.ts';

/** Half-open range of addresses as unsigned numbers. */
export interface AddressRange {
  first: number;
  size: number;
}

export interface Subnet {
  /** `10.88.0.0/24`, host bits zero. */
  cidr: string;
  prefix: number;
  /** First address: the bridge's own and the pods' default route. */
  gateway: string;
  /** Addresses a pod may get, inclusive. */
  firstPod: string;
  lastPod: string;
}

/** Where subnets are looked for when none is configured. */
export const POOL = '10.88.0.0/16';
const SUBNET_PREFIX = 24;

export function parseAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((address, part) => address * 256 + part, 0);
}

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

export function parseCidr(text: string): (AddressRange & { prefix: number }) | undefined {
  const [address, length = ''] = text.split('/');
  const base = parseAddress(address ?? '');
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : Number.NaN;
  if (base === undefined || !(prefix <= 32)) return undefined;
  const size = 2 ** (32 - prefix);
  return { first: base - (base % size), size, prefix };
}

/** @throws RuntimeError when it is no subnet or too small for a gateway and one pod (/30 … /8). */
export function subnet(text: string): Subnet {
  const range = parseCidr(text);
  if (!range || range.prefix > 30 || range.prefix < 8)
    throw new RuntimeError({ step: 'subnet', code: 'EINVAL', detail: `"${text}" is no IPv4 subnet from /8 to /30` });
  const { first, size, prefix } = range;
  return {
    cidr: `${formatAddress(first)}/${prefix}`,
    prefix,
    gateway: formatAddress(first + 1),
    firstPod: formatAddress(first + 2),
    lastPod: formatAddress(first + size - 2),
  };
}

export interface SubnetChoice {
  /** From the configuration: taken as it is. */
  configured?: string | undefined;
  /** Used before by this agent; kept even if a route overlaps, because running pods have addresses in it. */
  remembered?: string | undefined;
  /** Destinations of the node's routes, without the default route and without our own bridge's. */
  routes: AddressRange[];
}

/** The configured one, else the remembered one, else the first free /24 of 10.88.0.0/16. */
export function chooseSubnet({ configured, remembered, routes }: SubnetChoice): Subnet {
  if (configured) return subnet(configured);
  if (remembered && parseCidr(remembered)) return subnet(remembered);
  const pool = parseCidr(POOL) as AddressRange;
  const size = 2 ** (32 - SUBNET_PREFIX);
  for (let first = pool.first; first < pool.first + pool.size; first += size) {
    if (!routes.some((route) => overlaps(route, { first, size })))
      return subnet(`${formatAddress(first)}/${SUBNET_PREFIX}`);
  }
  throw new RuntimeError({
    step: 'subnet',
    code: 'EADDRINUSE',
    detail: `no free /${SUBNET_PREFIX} in ${POOL}: every one is routed already; set network.subnet in the configuration`,
  });
}

export const overlaps = (a: AddressRange, b: AddressRange): boolean =>
  a.first < b.first + b.size && b.first < a.first + a.size;

/** Destinations in the text of /proc/net/route, default route excluded; those of interface `except` too. */
export function parseRoutes(text: string, except: string): AddressRange[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [name, destination, , , , , , mask] = line.split(/\s+/);
      if (!name || !destination || !mask || name === except) return [];
      const maskNumber = hostOrder(mask);
      return maskNumber === 0 ? [] : [{ first: hostOrder(destination), size: 2 ** 32 - maskNumber }];
    });
}

/** Interface of the default route with the lowest metric; undefined when the node has none (offline). */
export function defaultInterface(text: string): string | undefined {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter(([name, destination, , , , , , mask]) => name && destination === '00000000' && mask === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}

export const readRoutes = (): Promise<string> => readFile('/proc/net/route', 'utf8');

/** The kernel prints addresses as the hexadecimal of a number in its own (little-endian) memory order. */
const hostOrder = (hex: string): number => Buffer.from(hex, 'hex').reverse().readUInt32BE();
