/** Validates what probes and lifecycle hooks do. */
import { LIMITS } from '../limits.ts';
import type { ContainerPort } from '../types/container.ts';
import type { Handler, HttpGet } from '../types/probes.ts';
import { checkFields } from './field-check.ts';
import { type Issues, show } from './issues.ts';
import { portName } from './names.ts';
import {
  present,
  type RawObject,
  readInteger,
  readList,
  readNamed,
  readObject,
  readOneOf,
  readRequiredObject,
  readString,
  unlessBlank,
} from './read.ts';

export const HANDLERS = ['exec', 'httpGet', 'tcpSocket'] as const;

const SCHEMES = ['HTTP', 'HTTPS'] as const;

/** @param ports of the container: a port may be given by its name */
export function readHandler(
  issues: Issues,
  parent: string,
  kind: (typeof HANDLERS)[number],
  value: unknown,
  ports: readonly ContainerPort[],
): Handler {
  const path = `${parent}.${kind}`;
  const raw = readObject(issues, path, value);
  if (raw === undefined) return {};
  if (kind === 'exec') return present({ exec: readExec(issues, path, raw) });
  if (kind === 'httpGet') return present({ httpGet: readHttpGet(issues, path, raw, ports) });
  return present({ tcpSocket: readTcpSocket(issues, path, raw, ports) });
}

function readExec(issues: Issues, path: string, raw: RawObject): Handler['exec'] | undefined {
  checkFields(issues, 'ExecAction', raw, path);
  const command = readList(issues, `${path}.command`, raw.command, LIMITS.words).map(
    (word, i) => (word === null ? '' : readString(issues, `${path}.command[${i}]`, word)) ?? '',
  );
  const given = raw.command;
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0))
    return void issues.required(`${path}.command`);
  return { command };
}

function readHttpGet(
  issues: Issues,
  path: string,
  raw: RawObject,
  ports: readonly ContainerPort[],
): HttpGet | undefined {
  checkFields(issues, 'HTTPGetAction', raw, path);
  const port = readTargetPort(issues, `${path}.port`, raw.port, ports);
  const action = present({
    host: readHost(issues, `${path}.host`, raw.host),
    path: readUrlPath(issues, `${path}.path`, raw.path),
    port,
    scheme: readOneOf(issues, `${path}.scheme`, unlessBlank(raw.scheme), SCHEMES) ?? 'HTTP',
    httpHeaders: readHeaders(issues, `${path}.httpHeaders`, raw.httpHeaders),
  });
  return port === undefined ? undefined : { ...action, port };
}

function readTcpSocket(
  issues: Issues,
  path: string,
  raw: RawObject,
  ports: readonly ContainerPort[],
): Handler['tcpSocket'] | undefined {
  checkFields(issues, 'TCPSocketAction', raw, path);
  const port = readTargetPort(issues, `${path}.port`, raw.port, ports);
  const host = readHost(issues, `${path}.host`, raw.host);
  return port === undefined ? undefined : present({ host, port });
}

/** A number, or the name of a port the container has: another name could never be asked. */
function readTargetPort(
  issues: Issues,
  path: string,
  value: unknown,
  ports: readonly ContainerPort[],
): number | string | undefined {
  if (value === undefined || value === null || value === '') return void issues.required(path);
  if (typeof value !== 'string') return readInteger(issues, path, value, { min: 1, max: 65535 });
  const name = readNamed(issues, path, value, portName);
  if (name !== undefined && !ports.some((port) => port.name === name))
    issues.error(path, `Not found: ${show(name)}: the container has no port of that name`);
  return name;
}

function readHost(issues: Issues, path: string, value: unknown): string | undefined {
  const host = readString(issues, path, unlessBlank(value));
  if (host !== undefined && !/^[A-Za-z0-9._:[\]%-]{1,255}$/.test(host))
    issues.invalid(path, host, 'must be an address or a host name');
  return host;
}

/** It goes into a request line as it is. */
function readUrlPath(issues: Issues, path: string, value: unknown): string {
  const text = readString(issues, path, unlessBlank(value)) ?? '/';
  if (/[\s\p{Cc}]/u.test(text)) issues.invalid(path, text, 'must not contain white space');
  if (text.length > LIMITS.path) issues.invalid(path, text, `must be no more than ${LIMITS.path} characters`);
  return text.startsWith('/') ? text : `/${text}`;
}

function readHeaders(issues: Issues, path: string, value: unknown): HttpGet['httpHeaders'] {
  return readList(issues, path, value, LIMITS.items).flatMap((item, i) => {
    const at = `${path}[${i}]`;
    const raw = readRequiredObject(issues, at, item);
    if (raw === undefined) return [];
    checkFields(issues, 'HTTPHeader', raw, at);
    const name = readNamed(issues, `${at}.name`, raw.name, (text) =>
      /^[-A-Za-z0-9]{1,256}$/.test(text) ? undefined : "must be letters, digits and '-'",
    );
    const text = readString(issues, `${at}.value`, raw.value) ?? '';
    if (/[\r\n]/.test(text)) issues.invalid(`${at}.value`, text, 'must be one line');
    return name === undefined ? [] : [{ name, value: text }];
  });
}
