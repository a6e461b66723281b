/** Where the operator's broker is: flags, environment, then the user's own configuration file. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { SETTING_SYNTAX } from '../agent/config/setting-syntax.ts';
import { brokerUrl } from '../agent/config/setting-values.ts';
import type { BrokerOptions } from '../client/connect.ts';
import { Fleet } from '../client/fleet.ts';
import { CommandError } from './failure.ts';
import { readNamed } from './readable.ts';

export interface ConnectionFlags {
  broker?: string;
  prefix?: string;
  username?: string;
  passwordFile?: string;
  caFile?: string;
  certFile?: string;
  keyFile?: string;
}

/** Names of the flags. */
export const CONNECTION_FLAGS = [
  'broker',
  'prefix',
  'username',
  'passwordFile',
  'caFile',
  'certFile',
  'keyFile',
] as const satisfies readonly (keyof ConnectionFlags)[];

type UserConfig = ConnectionFlags & { password?: string };

/** Keys of a `UserConfig`. */
export const USER_SETTINGS: readonly string[] = [...CONNECTION_FLAGS, 'password'];

const DEFAULT_BROKER = 'mqtt://127.0.0.1:1883';

/** Adds the options every command that talks to the broker has. */
export function withConnection(command: Command): Command {
  return command
    .option('--broker <url>', 'MQTT broker (EDGEPOD_BROKER, or `broker` in the user configuration)')
    .option('--prefix <name>', 'first level of every topic (EDGEPOD_PREFIX)')
    .option('--username <name>', 'user name at the broker (EDGEPOD_USERNAME)')
    .option('--password-file <file>', 'file with the password (or EDGEPOD_PASSWORD)')
    .option('--ca-file <file>', 'certificate authority of the broker (PEM)')
    .option('--cert-file <file>', 'client certificate (PEM)')
    .option('--key-file <file>', 'client key (PEM)');
}

/** Opens the fleet connection of a command, runs `use`, closes it whatever happens. */
export async function withFleet<T>(flags: ConnectionFlags, use: (fleet: Fleet) => Promise<T>): Promise<T> {
  const { options, prefix } = await connectionOptions(flags);
  const fleet = await Fleet.open(options, prefix);
  try {
    return await use(fleet);
  } finally {
    await fleet.close();
  }
}

async function connectionOptions(flags: ConnectionFlags): Promise<{ options: BrokerOptions; prefix: string }> {
  const env = process.env;
  const user = await userConfig();
  const pick = (flag: string | undefined, variable: string, own: string | undefined) => flag ?? env[variable] ?? own;
  const username = pick(flags.username, 'EDGEPOD_USERNAME', user.username);
  const passwordFile = flags.passwordFile ?? user.passwordFile;
  const password = passwordFile
    ? readNamed(passwordFile, `the password file ${passwordFile}`).toString().trimEnd()
    : (env.EDGEPOD_PASSWORD ?? user.password);
  const caFile = pick(flags.caFile, 'EDGEPOD_CA_FILE', user.caFile);
  const certFile = pick(flags.certFile, 'EDGEPOD_CERT_FILE', user.certFile);
  const keyFile = pick(flags.keyFile, 'EDGEPOD_KEY_FILE', user.keyFile);
  return {
    prefix: pick(flags.prefix, 'EDGEPOD_PREFIX', user.prefix) ?? 'edgepod',
    options: {
      url: brokerUrl(pick(flags.broker, 'EDGEPOD_BROKER', user.broker) ?? DEFAULT_BROKER, 'broker'),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(caFile !== undefined && { ca: readNamed(caFile, `the certificate authority ${caFile}`) }),
      ...(certFile !== undefined && { cert: readNamed(certFile, `the certificate ${certFile}`) }),
      ...(keyFile !== undefined && { key: readNamed(keyFile, `the key ${keyFile}`) }),
    },
  };
}

/** `$XDG_CONFIG_HOME/edgepod/config.yaml`; empty when there is none. */
async function userConfig(): Promise<UserConfig> {
  const path = join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'edgepod', 'config.yaml');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const { default: yaml } = await import('yaml'); // CommonJS: the bundle has no named exports of it
  const document = yaml.parse(text, SETTING_SYNTAX) as UserConfig | null;
  if (document !== null && typeof document !== 'object')
    throw new CommandError(`${path}: expected settings, like "broker: URL"`);
  const unknown = Object.keys(document ?? {}).find((key) => !USER_SETTINGS.includes(key));
  if (unknown !== undefined)
    throw new CommandError(`${path}: unknown setting "${unknown}": there are ${USER_SETTINGS.join(', ')}`);
  return document ?? {};
}
