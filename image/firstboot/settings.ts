/**
 * `edgepod.yaml` of the boot partition: every setting of the agent (config/agent.yaml), and what a board needs besides:
 * host name, wired network, SSH keys. Pure. One wrong setting costs that setting, never the board.
 */
import { BlockList, isIP } from 'node:net';
import { parseDocument } from 'yaml';
import { SETTINGS } from '../../src/agent/config/config.ts';
import { SETTING_SYNTAX, settingText } from '../../src/agent/config/setting-syntax.ts';

export interface Problem {
  /** `broker.url`, or empty for the file as a whole. */
  path: string;
  reason: string;
}

export interface Lan {
  interface: string;
  /** `192.168.1.20/24`; absent: DHCP. */
  address?: string;
  gateway?: string;
  dns: string[];
  ntp: string[];
}

export interface BoardSettings {
  /** Settings of the agent by dotted key, each valid by itself. */
  agent: Map<string, string>;
  hostname?: string;
  lan?: Lan;
  authorizedKeys: string[];
  problems: Problem[];
}

const FILE_KEYS = ['broker.passwordFile', 'broker.caFile', 'broker.certFile', 'broker.keyFile'];
/** What may stand at the beginning of a line. */
const SECTIONS = new Set(['hostname', 'lan', 'ssh', ...SETTINGS.map(({ key }) => key.split('.')[0]!)]);
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const PUBLIC_KEY = /^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+( .*)?$/;
const MAX_BYTES = 64 << 10;

/**
 * Reads the text of the file.
 * @param directory where the file is: relative names of certificates are meant to be beside it
 */
export function boardSettings(text: string, directory: string): BoardSettings {
  const found: BoardSettings = { agent: new Map(), authorizedKeys: [], problems: [] };
  const problem = (path: string, reason: string) => found.problems.push({ path, reason });
  const root = parse(text, problem);
  for (const [name, value] of Object.entries(root)) {
    if (value === null && SECTIONS.has(name)) continue; // every line of it commented out
    if (name === 'hostname') readHostname(value, found, problem);
    else if (name === 'lan') readLan(value, found, problem);
    else if (name === 'ssh') readSsh(value, found, problem);
    else readAgent(name, value, directory, found, problem);
  }
  return found;
}

type Complain = (path: string, reason: string) => void;

function parse(text: string, problem: Complain): Record<string, unknown> {
  if (text.length > MAX_BYTES) {
    problem('', `is ${text.length} bytes long; ${MAX_BYTES} are plenty`);
    return {};
  }
  // Editors of other systems add a byte order mark and CRLF; YAML takes both, once the mark is gone.
  const document = parseDocument(text.replace(/^\uFEFF/, ''), SETTING_SYNTAX);
  const error = document.errors[0];
  if (error) {
    problem('', `is not YAML: ${error.message.split('\n')[0]}`);
    return {};
  }
  try {
    const value: unknown = document.toJS(SETTING_SYNTAX);
    if (value === null || value === undefined) return {};
    if (isObject(value)) return value;
    problem('', 'must be a list of `key: value` lines');
  } catch (cause) {
    problem('', (cause as Error).message);
  }
  return {};
}

function readAgent(path: string, value: unknown, directory: string, found: BoardSettings, problem: Complain): void {
  const setting = SETTINGS.find(({ key }) => key === path);
  if (!setting) {
    if (isObject(value))
      for (const [key, inner] of Object.entries(value)) readAgent(`${path}.${key}`, inner, directory, found, problem);
    else problem(path, 'there is no such setting');
    return;
  }
  if (value === null) return;
  let text = settingText(value);
  if (text === undefined) {
    problem(path, 'must be a plain value');
    return;
  }
  if (FILE_KEYS.includes(path) && !text.startsWith('/')) text = `${directory}/${text}`;
  try {
    setting.read(text, path);
    found.agent.set(path, text);
  } catch (error) {
    problem(path, (error as Error).message.replace(`${path}: `, ''));
  }
}

function readHostname(value: unknown, found: BoardSettings, problem: Complain): void {
  if (typeof value === 'string' && LABEL.test(value)) found.hostname = value;
  else
    problem('hostname', `${JSON.stringify(value)} is not a host name: lower-case letters, digits and "-", at most 63`);
}

function readLan(value: unknown, found: BoardSettings, problem: Complain): void {
  if (!isObject(value)) {
    problem('lan', 'must have keys: interface, address, gateway, dns, ntp');
    return;
  }
  const lan: Lan = { interface: 'en* eth*', dns: [], ntp: [] };
  const before = found.problems.length;
  for (const [name, given] of Object.entries(value)) {
    if (given === null && Object.hasOwn(WANTED, name)) continue;
    const text = settingText(given) ?? '';
    const items = text.split(',').map((item) => item.trim());
    if (name === 'interface' && isLanPattern(text)) lan.interface = text;
    else if (name === 'address' && isCidr(text)) lan.address = text;
    else if (name === 'gateway' && isIP(text)) lan.gateway = text;
    else if (name === 'dns' && items.every((item) => isIP(item))) lan.dns = items;
    else if (name === 'ntp' && items.every((item) => /^[a-zA-Z0-9.:-]+$/.test(item))) lan.ntp = items;
    else {
      const wanted = Object.hasOwn(WANTED, name) && WANTED[name];
      problem(`lan.${name}`, wanted ? `${JSON.stringify(given)} is not ${wanted}` : 'there is no such setting');
    }
  }
  if (found.problems.length === before && lan.gateway !== undefined && !isBeside(lan.gateway, lan.address))
    problem('lan.gateway', `${lan.gateway} is not in the network of lan.address`);
  // Half an address would cut the board off where DHCP might have reached somebody.
  if (found.problems.length === before) found.lan = lan;
  else problem('lan', 'is not used: the board asks DHCP');
}

const WANTED: Record<string, string> = {
  interface: 'the name of a wired interface, like eth0 or en*',
  address: 'an address of a host with its prefix length, like 192.168.1.20/24',
  gateway: 'an IP address',
  dns: 'a list of IP addresses',
  ntp: 'a list of host names or addresses',
};

function readSsh(value: unknown, found: BoardSettings, problem: Complain): void {
  const only = 'ssh has one setting: authorizedKeys, a list of public keys';
  if (!isObject(value)) {
    problem('ssh', only);
    return;
  }
  for (const [name, keys] of Object.entries(value)) {
    if (name === 'authorizedKeys' && keys === null) continue;
    if (name !== 'authorizedKeys' || !Array.isArray(keys)) {
      problem(`ssh.${name}`, only);
      continue;
    }
    keys.forEach((key, index) => {
      if (typeof key === 'string' && PUBLIC_KEY.test(key.trim())) found.authorizedKeys.push(key.trim());
      else problem(`ssh.authorizedKeys[${index}]`, 'is not a public key like "ssh-ed25519 AAAA… me@laptop"');
    });
  }
}

/** What networkd takes for one address: a host's, without a zone. It ignores others, and asks DHCP for none either. */
function isCidr(text: string): boolean {
  const [, address = '', prefix = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  if (version === 0 || Number(prefix) < 1 || Number(prefix) > bits) return false;
  return version === 6 || Number(prefix) >= 31 || isHost(address, Number(prefix));
}

/** Neither the network itself nor everybody in it. */
function isHost(address: string, prefix: number): boolean {
  const host = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) % 2 ** (32 - prefix);
  return host !== 0 && host !== 2 ** (32 - prefix) - 1;
}

/** Whether the gateway is reached without one. A link-local one is on every link. */
function isBeside(gateway: string, cidr = ''): boolean {
  const [address = '', prefix = ''] = cidr.split('/');
  if (isIP(address) !== isIP(gateway)) return false;
  const family = isIP(gateway) === 4 ? 'ipv4' : 'ipv6';
  if (family === 'ipv6' && /^fe[89ab]/i.test(gateway)) return true;
  const network = new BlockList();
  network.addSubnet(address, Number(prefix), family);
  return network.check(gateway, family);
}

/** A pattern that also meant loopback, the pods' bridge or their links would have networkd take those over. */
function isLanPattern(text: string): boolean {
  if (!/^[a-zA-Z0-9_.*-]{1,15}$/.test(text)) return false;
  const pattern = new RegExp(`^${text.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  return !NOT_LAN.some((name) => pattern.test(name));
}

const NOT_LAN = ['lo', 'edgepod0', 'veth0', 'dummy0', 'docker0'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
