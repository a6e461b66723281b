/** How the values of settings are read. Each throws ConfigError with the key and what is expected. */
import { isAbsolute } from 'node:path';
import { parseQuantity } from '../../manifest/quantity.ts';
import type { Floor } from '../../node/pressure.ts';
import { subnet } from '../../runtime/network/subnet.ts';

/** A configuration that cannot be used; `message` names the setting, where it came from and what is expected. */
export class ConfigError extends Error {
  readonly code = 'E_CONFIG';
}

export const text = (value: string) => value;
const ID = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

export function id(value: string, key: string): string {
  if (!ID.test(value) || value.length > 63)
    throw new ConfigError(`${key}: "${value}" is not an id: lower-case letters, digits, "-" and ".", at most 63`);
  return value;
}

export function path(value: string, key: string): string {
  if (!isAbsolute(value)) throw new ConfigError(`${key}: "${value}" must be an absolute path`);
  return value;
}

const BROKER_PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:', 'tcp:', 'ssl:'];

/** As given, but `tcp:` and `ssl:` under the names that MQTT.js knows with a certificate as well. */
export function brokerUrl(value: string, key: string): string {
  // Where the error is shown, on a console or by the node, a password in it must not be.
  const shown = value.replace(/^.*@/s, '…@');
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !BROKER_PROTOCOLS.includes(url.protocol) || url.hostname === '')
    throw new ConfigError(`${key}: "${shown}" is not a broker address like mqtt://host:1883 or mqtts://host:8883`);
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new ConfigError(`${key}: "${shown}": a "%" in user name or password is written %25`);
  }
  return value.replace(/^tcp:/i, 'mqtt:').replace(/^ssl:/i, 'mqtts:');
}

export function podSubnet(value: string, key: string): string {
  try {
    return subnet(value).cidr;
  } catch (error) {
    throw new ConfigError(`${key}: "${value}" is no IPv4 subnet like 10.88.0.0/24, from /8 to /30`, { cause: error });
  }
}

export function count(min: number, max: number) {
  return (value: string, key: string): number => {
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (!Number.isInteger(number) || number < min || number > max)
      throw new ConfigError(`${key}: "${value}" must be a whole number from ${min} to ${max}`);
    return number;
  };
}

export function quantity(scale: 'bytes' | 'milli') {
  return (value: string, key: string): number => {
    try {
      const milli = parseQuantity(value);
      return Number(scale === 'milli' ? milli : milli / 1000n);
    } catch (error) {
      throw new ConfigError(`${key}: "${value}" is not a quantity like 64Mi or 500m`, { cause: error });
    }
  };
}

/** A quantity, or a share of what there is: `100Mi`, `10%`. */
export function floor(value: string, key: string): Floor {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(value)?.[1];
  if (percent === undefined) return { amount: quantity('bytes')(value, key) };
  if (Number(percent) > 100) throw new ConfigError(`${key}: "${value}" is more than there is`);
  return { share: Number(percent) / 100 };
}

export function level(value: string, key: string): string {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];
  if (!levels.includes(value)) throw new ConfigError(`${key}: "${value}" must be one of ${levels.join(', ')}`);
  return value;
}

export const list = (value: string, key: string) =>
  value === '' ? [] : value.split(',').map((item) => id(item.trim(), key));

export function yesOrNo(value: string, key: string): boolean {
  if (!/^(true|false)$/i.test(value)) throw new ConfigError(`${key}: "${value}" must be true or false`);
  return value.toLowerCase() === 'true';
}

/** Names like the kernel's, the last part of which may be `*`. */
export function sysctls(value: string, key: string): string[] {
  const names = value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
  const bad = names.find((name) => !/^[a-z0-9]+([._-][a-z0-9]+)*(\.\*)?$/.test(name));
  if (bad !== undefined) throw new ConfigError(`${key}: "${bad}" is not the name of a sysctl like net.core.somaxconn`);
  return names;
}
