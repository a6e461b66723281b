/** Validates how a pod is named and how it resolves names. */
import { isIP } from 'node:net';
import { LIMITS } from '../limits.ts';
import type { DnsConfig, HostAlias, PodSpec } from '../types/pod.ts';
import { checkFields } from './field-check.ts';
import type { Issues } from './issues.ts';
import { dnsLabel, dnsSubdomain, searchDomain } from './names.ts';
import {
  present,
  type RawObject,
  readBoolean,
  readList,
  readNamed,
  readObject,
  readOneOf,
  readOptionalNamed,
  readRequiredObject,
  readRequiredString,
  readString,
  unlessBlank,
} from './read.ts';

type Dns = Pick<
  PodSpec,
  'hostname' | 'subdomain' | 'setHostnameAsFQDN' | 'hostnameOverride' | 'hostAliases' | 'dnsPolicy' | 'dnsConfig'
>;

const POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] as const;
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const MOST_SEARCH_CHARACTERS = 2048;
/** The kernel's (`__NEW_UTS_LEN`). */
const MOST_HOSTNAME = 64;

export function readDns(issues: Issues, path: string, raw: RawObject): Dns {
  const dnsPolicy = readOneOf(issues, `${path}.dnsPolicy`, unlessBlank(raw.dnsPolicy), POLICIES) ?? 'ClusterFirst';
  const dnsConfig = readDnsConfig(issues, `${path}.dnsConfig`, raw.dnsConfig);
  if (dnsPolicy === 'None' && raw.dnsConfig !== undefined && (dnsConfig?.nameservers.length ?? 0) === 0)
    issues.required(`${path}.dnsConfig.nameservers`, 'at least one when dnsPolicy is None');
  else if (dnsPolicy === 'None' && (raw.dnsConfig === undefined || raw.dnsConfig === null))
    issues.required(`${path}.dnsConfig`, 'with at least one nameserver when dnsPolicy is None');
  return present({
    hostname: readOptionalNamed(issues, `${path}.hostname`, raw.hostname, dnsLabel),
    subdomain: readOptionalNamed(issues, `${path}.subdomain`, raw.subdomain, dnsLabel),
    setHostnameAsFQDN: readBoolean(issues, `${path}.setHostnameAsFQDN`, raw.setHostnameAsFQDN) ?? false,
    hostnameOverride: readOverride(issues, `${path}.hostnameOverride`, raw),
    hostAliases: readAliases(issues, `${path}.hostAliases`, raw.hostAliases),
    dnsPolicy,
    dnsConfig,
  });
}

/** It is the whole name: it cannot be the node's, nor be made of others, at the same time. */
function readOverride(issues: Issues, path: string, raw: RawObject): string | undefined {
  const name = readOptionalNamed(issues, path, raw.hostnameOverride, (text) =>
    text.length > MOST_HOSTNAME ? `must be no more than ${MOST_HOSTNAME} characters` : dnsSubdomain(text),
  );
  if (name === undefined) return undefined;
  for (const other of ['hostNetwork', 'setHostnameAsFQDN'])
    if (raw[other] === true) issues.error(path, `Forbidden: may not be specified when ${other} is true`);
  return name;
}

function readDnsConfig(issues: Issues, path: string, value: unknown): DnsConfig | undefined {
  const raw = readObject(issues, path, value);
  if (raw === undefined) return undefined;
  checkFields(issues, 'PodDNSConfig', raw, path);
  const nameservers = readTexts(issues, `${path}.nameservers`, raw.nameservers, MOST_NAMESERVERS, ipAddress);
  const searches = readTexts(issues, `${path}.searches`, raw.searches, MOST_SEARCHES, searchDomain);
  if (searches.join(' ').length > MOST_SEARCH_CHARACTERS)
    issues.error(`${path}.searches`, `Too long: must be no more than ${MOST_SEARCH_CHARACTERS} characters together`);
  return { nameservers, searches, options: readOptions(issues, `${path}.options`, raw.options) };
}

/** Each becomes a word of the `options` line of resolv.conf. */
function readOptions(issues: Issues, path: string, value: unknown): DnsConfig['options'] {
  const word = (text: string) => (/^[!-~]{1,256}$/.test(text) ? undefined : 'must be printable ASCII without spaces');
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'PodDNSConfigOption', raw, at);
    const name = readNamed(issues, `${at}.name`, raw.name, word);
    const text = readString(issues, `${at}.value`, raw.value);
    if (text !== undefined && text !== '' && word(text) !== undefined) issues.invalid(`${at}.value`, text, word(text)!);
    return name === undefined ? [] : [present({ name, value: text })];
  });
}

function readAliases(issues: Issues, path: string, value: unknown): HostAlias[] {
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'HostAlias', raw, at);
    const ip = readNamed(issues, `${at}.ip`, raw.ip, ipAddress);
    const hostnames = readTexts(issues, `${at}.hostnames`, raw.hostnames, LIMITS.items, dnsSubdomain);
    return ip === undefined ? [] : [{ ip, hostnames }];
  });
}

function readTexts(
  issues: Issues,
  path: string,
  value: unknown,
  most: number,
  rule: (text: string) => string | undefined,
): string[] {
  return readList(issues, path, value, most).flatMap((item, i) => {
    const text = readRequiredString(issues, `${path}[${i}]`, item);
    if (text === undefined) return [];
    const broken = rule(text);
    if (broken !== undefined) issues.invalid(`${path}[${i}]`, text, broken);
    return [text];
  });
}

function ipAddress(text: string): string | undefined {
  return isIP(text) !== 0 && !text.includes('%')
    ? undefined
    : 'must be a valid IP address, like 10.9.8.7 or 2001:db8::1';
}
