/**
 * The agent's configuration: one table of settings, from which the file loader, the environment, the command-line
 * flags and their help are all derived. Precedence: flag > environment > file > default.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Floor, PressureFloors } from '../../node/pressure.ts';
import { settingText } from './setting-syntax.ts';
import {
  brokerUrl,
  ConfigError,
  count,
  floor,
  id,
  level,
  list,
  path,
  podSubnet,
  quantity,
  sysctls,
  text,
  yesOrNo,
} from './setting-values.ts';

export { ConfigError };

export interface AgentConfig {
  device: string;
  broker: {
    url: string;
    username?: string;
    password?: string;
    passwordFile?: string;
    caFile?: string;
    certFile?: string;
    keyFile?: string;
  };
  prefix: string;
  groups: string[];
  dataDir: string;
  runDir: string;
  logDir: string;
  log: { level: string };
  containerLog: { maxBytes: number; maxFiles: number };
  network: { bridge?: string; subnet?: string };
  resources: { reservedMemoryBytes: number; reservedCpuMilli: number; maxPods: number; podPidsLimit: number };
  /** Below these the node is under pressure, and pods are ended for it. */
  eviction: PressureFloors;
  images: { gcHighPercent: number; gcLowPercent: number };
  /** Where seccomp profiles of type Localhost are. */
  seccompDir: string;
  /** Sysctls beyond the safe ones that pods may set; `net.core.*` names all below. */
  allowedUnsafeSysctls: string[];
  userNamespaces: { firstId: number };
  /** Whether operators may run commands in containers (`edgepod exec`). */
  remoteExec: boolean;
  metrics: { intervalSeconds: number };
}

/** One setting: `key` in the file (dotted), its variable and flag, how to read it, and what it is when nobody says. */
export interface Setting {
  key: string;
  env: string;
  flag: string;
  value: string;
  doc: string;
  read: (text: string, key: string) => unknown;
  fallback?: () => unknown;
}

function setting(key: string, value: string, doc: string, read: Setting['read'], fallback?: () => unknown): Setting {
  const words = key
    .replace(/\.url$/, '')
    .replaceAll('.', '-')
    .replace(/[A-Z]/g, (upper) => `-${upper.toLowerCase()}`);
  return {
    key,
    env: `EDGEPOD_${words.replaceAll('-', '_').toUpperCase()}`,
    flag: words,
    value,
    doc,
    read,
    ...(fallback && { fallback }),
  };
}

/** Every setting there is, in the order of `config/agent.yaml`. */
export const SETTINGS: readonly Setting[] = [
  setting('device', 'ID', 'identity of this board in topics', id, () => hostname().toLowerCase()),
  setting('broker.url', 'URL', 'MQTT broker', brokerUrl, () => 'mqtt://127.0.0.1:1883'),
  setting('broker.username', 'NAME', 'user name at the broker', text),
  setting('broker.password', 'TEXT', 'password at the broker; prefer the file', text),
  setting('broker.passwordFile', 'FILE', 'file that holds the password', path),
  setting('broker.caFile', 'FILE', 'certificate authority of the broker (PEM)', path),
  setting('broker.certFile', 'FILE', 'certificate of this board (PEM)', path),
  setting('broker.keyFile', 'FILE', 'private key of this board (PEM)', path),
  setting('prefix', 'NAME', 'first level of every topic', id, () => 'edgepod'),
  setting('groups', 'A,B', 'groups whose desired state this board takes', list, () => []),
  setting('dataDir', 'DIR', 'desired state, images, volumes', path, () => '/var/lib/edgepod'),
  setting('runDir', 'DIR', 'sockets and bundles of running pods', path, () => '/run/edgepod'),
  setting('logDir', 'DIR', 'container logs (default <data-dir>/logs)', path),
  setting('log.level', 'LEVEL', 'trace, debug, info, warn or error', level, () => 'info'),
  setting(
    'containerLog.maxSize',
    'SIZE',
    'size at which a container log is rotated',
    quantity('bytes'),
    () => 10 << 20,
  ),
  setting('containerLog.maxFiles', 'N', 'log files kept per container', count(2, 100), () => 5),
  setting('network.bridge', 'NAME', 'bridge the pods are on', (value, key) => {
    if (!/^[a-zA-Z0-9_.-]{1,15}$/.test(value)) throw new ConfigError(`${key}: "${value}" is not an interface name`);
    return value;
  }),
  setting('network.subnet', 'CIDR', 'addresses of the pods', podSubnet),
  setting('resources.reservedMemory', 'SIZE', 'memory kept back from pods', quantity('bytes'), () => 96 << 20),
  setting('resources.reservedCpu', 'CPU', 'CPU kept back from pods', quantity('milli'), () => 100),
  setting('resources.maxPods', 'N', 'pods this board takes at most', count(1, 1000), () => 110),
  setting('resources.podPidsLimit', 'N', 'processes and threads a pod may have', count(16, 4_194_304), () => 4096),
  setting('eviction.memoryAvailable', 'SIZE|%', 'memory below which pods are ended', floor, () => ({
    amount: 100 << 20,
  })),
  setting('eviction.nodefsAvailable', 'SIZE|%', 'disk below which pods are ended', floor, () => ({ share: 0.1 })),
  setting('eviction.nodefsInodesFree', 'N|%', 'inodes below which pods are ended', floor, () => ({ share: 0.05 })),
  setting('eviction.pidAvailable', 'N|%', 'process ids below which pods are ended', floor, () => ({ amount: 100 })),
  setting('images.gcHighPercent', 'N', 'disk use above which unused images go; 100: never', count(1, 100), () => 85),
  setting('images.gcLowPercent', 'N', 'disk use at which no more images go', count(0, 100), () => 80),
  setting('seccompDir', 'DIR', 'seccomp profiles of type Localhost', path, () => '/etc/edgepod/seccomp'),
  setting(
    'allowedUnsafeSysctls',
    'A,B',
    'sysctls pods may set besides the safe ones; net.core.* names all below',
    sysctls,
    () => [],
  ),
  setting(
    'userNamespaces.firstId',
    'ID',
    'first user id for pods with hostUsers: false',
    count(65_536, 0x7fff_0000),
    () => 0x4000_0000,
  ),
  setting('remoteExec', 'BOOL', 'whether operators may run commands in containers', yesOrNo, () => false),
  setting('metrics.interval', 'SECONDS', 'seconds between metrics', count(1, 86400), () => 30),
];

/** Values by setting key, and where they came from (for error messages). */
type Layer = { from: string; values: Map<string, string> };

/** Flattens a document parsed with SETTING_SYNTAX to setting keys. Throws ConfigError for a key that is no setting. */
export function fileLayer(document: unknown, from: string): Layer {
  const values = new Map<string, string>();
  const known = new Set(SETTINGS.map(({ key }) => key));
  const walk = (node: unknown, prefix: string) => {
    if (node === null || node === undefined) return;
    if (prefix && known.has(prefix)) {
      const text = settingText(node);
      if (text === undefined) throw new ConfigError(`${from}: ${prefix} must be a plain value`);
      values.set(prefix, text);
    } else if (typeof node === 'object' && !Array.isArray(node)) {
      for (const [key, value] of Object.entries(node)) walk(value, prefix ? `${prefix}.${key}` : key);
    } else {
      throw new ConfigError(`${from}: unknown setting "${prefix || JSON.stringify(node)}"`);
    }
  };
  walk(document, '');
  return { from, values };
}

export function envLayer(env: NodeJS.ProcessEnv): Layer {
  const found = SETTINGS.flatMap(({ key, env: name }) => (env[name] === undefined ? [] : [[key, env[name]] as const]));
  return { from: 'environment', values: new Map(found) };
}

/** `flags` by camel-cased flag name, as commander gives them. */
export function flagLayer(flags: Record<string, unknown>): Layer {
  const camel = (flag: string) => flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const found = SETTINGS.flatMap(({ key, flag }) => {
    const value = flags[camel(flag)];
    return value === undefined ? [] : [[key, String(value)] as const];
  });
  return { from: 'command line', values: new Map(found) };
}

/** The configuration from layers, weakest first. Throws ConfigError naming setting and layer. */
export function resolveConfig(layers: Layer[]): AgentConfig {
  const value = (key: string): unknown => {
    const entry = SETTINGS.find((candidate) => candidate.key === key);
    if (!entry) throw new Error(`no setting ${key}`);
    for (const layer of layers.toReversed()) {
      const given = layer.values.get(key);
      if (given !== undefined) return entry.read(given, `${layer.from}: ${key}`);
    }
    return entry.fallback?.();
  };
  const optional = <K extends string>(name: K, key: string) => {
    const found = value(key) as string | undefined;
    return found === undefined ? {} : ({ [name]: found } as Record<K, string>);
  };
  const dataDir = value('dataDir') as string;
  return {
    device: value('device') as string,
    broker: {
      url: value('broker.url') as string,
      ...optional('username', 'broker.username'),
      ...optional('password', 'broker.password'),
      ...optional('passwordFile', 'broker.passwordFile'),
      ...optional('caFile', 'broker.caFile'),
      ...optional('certFile', 'broker.certFile'),
      ...optional('keyFile', 'broker.keyFile'),
    },
    prefix: value('prefix') as string,
    groups: value('groups') as string[],
    dataDir,
    runDir: value('runDir') as string,
    logDir: (value('logDir') as string | undefined) ?? join(dataDir, 'logs'),
    log: { level: value('log.level') as string },
    containerLog: {
      maxBytes: value('containerLog.maxSize') as number,
      maxFiles: value('containerLog.maxFiles') as number,
    },
    network: { ...optional('bridge', 'network.bridge'), ...optional('subnet', 'network.subnet') },
    resources: {
      reservedMemoryBytes: value('resources.reservedMemory') as number,
      reservedCpuMilli: value('resources.reservedCpu') as number,
      maxPods: value('resources.maxPods') as number,
      podPidsLimit: value('resources.podPidsLimit') as number,
    },
    eviction: {
      memoryAvailable: value('eviction.memoryAvailable') as Floor,
      nodefsAvailable: value('eviction.nodefsAvailable') as Floor,
      nodefsInodesFree: value('eviction.nodefsInodesFree') as Floor,
      pidAvailable: value('eviction.pidAvailable') as Floor,
    },
    images: {
      gcHighPercent: value('images.gcHighPercent') as number,
      gcLowPercent: value('images.gcLowPercent') as number,
    },
    seccompDir: value('seccompDir') as string,
    allowedUnsafeSysctls: value('allowedUnsafeSysctls') as string[],
    userNamespaces: { firstId: value('userNamespaces.firstId') as number },
    remoteExec: value('remoteExec') as boolean,
    metrics: { intervalSeconds: value('metrics.interval') as number },
  };
}
