/** A real mosquitto on a free loopback port, in a directory of its own, for the tests of every part. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MOSQUITTO = '/usr/sbin/mosquitto';

export interface MosquittoOptions {
  /** Text of an access list file. */
  acl?: string;
  /** User names and passwords; anonymous clients are refused then. */
  passwords?: Record<string, string>;
  /** Keep retained messages and sessions over `restart`. */
  persistence?: boolean;
  /** More lines for the configuration. */
  extra?: string;
}

export interface Mosquitto {
  port: number;
  url: string;
  dir: string;
  /** Process id of the broker now running. */
  pid(): number;
  /** What it has logged so far. */
  log(): string;
  /** Orderly end; removes the directory. */
  stop(): Promise<void>;
  /** As in a power cut: nothing is saved. The port and the directory stay for `restart`. */
  kill9(): Promise<void>;
  /** Ends it in order, if it runs, and starts it again on the same port. */
  restart(): Promise<void>;
}

/** A broker elsewhere that tests are to use instead of one of their own (mqtt://host:port); it cannot be stopped. */
export const OUTSIDE_BROKER = process.env.EDGEPOD_TEST_BROKER;

/** Starts mosquitto and resolves when it accepts connections. Rejects with its log when it does not come up. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  if (OUTSIDE_BROKER !== undefined) return outsideBroker(OUTSIDE_BROKER, options);
  const dir = mkdtempSync(join(tmpdir(), 'edgepod-mosquitto-'));
  const port = await freePort();
  writeConfig(dir, port, options);
  const logFile = join(dir, 'mosquitto.log');
  const log = () => readFileSync(logFile, { encoding: 'utf8', flag: 'a+' });
  let child: ChildProcess | undefined;

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    await exited;
  };
  const start = async () => {
    child = spawn(MOSQUITTO, ['-c', join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
    // A test that fails half-way must not leave a broker behind.
    const { pid } = child;
    const reap = () => pid !== undefined && child?.pid === pid && child.kill('SIGKILL');
    process.once('exit', reap);
    child.once('exit', () => process.off('exit', reap));
    await listening(port, child, log);
  };
  await start();
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    dir,
    pid: () => child?.pid ?? -1,
    log,
    kill9: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      await start();
    },
    stop: async () => {
      await end('SIGTERM');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function outsideBroker(url: string, options: MosquittoOptions): Mosquitto {
  const refuse = () => {
    throw new Error(`the broker ${url} is not this test's own`);
  };
  if (Object.keys(options).length > 0) refuse();
  return {
    ...{ url, port: Number(new URL(url).port), dir: '' },
    ...{ pid: refuse, log: refuse, kill9: refuse, restart: refuse },
    stop: async () => {},
  };
}

function writeConfig(dir: string, port: number, { acl, passwords, persistence = false, extra = '' }: MosquittoOptions) {
  const lines = [
    `listener ${port} 127.0.0.1`,
    `log_dest file ${join(dir, 'mosquitto.log')}`,
    'log_type all',
    // As root it would drop to a user that cannot read this directory.
    'user root',
    `allow_anonymous ${passwords === undefined}`,
    `persistence ${persistence}`,
    ...(persistence ? [`persistence_location ${dir}/`] : []),
  ];
  if (passwords !== undefined) {
    const file = join(dir, 'passwords');
    const text = Object.entries(passwords).map(([user, password]) => `${user}:${password}\n`);
    writeFileSync(file, text.join(''), { mode: 0o600 });
    // Hashes the file in place: mosquitto does not take plain passwords.
    execFileSync('mosquitto_passwd', ['-U', file]);
    lines.push(`password_file ${file}`);
  }
  if (acl !== undefined) {
    const file = join(dir, 'acl');
    writeFileSync(file, acl);
    chmodSync(file, 0o600);
    lines.push(`acl_file ${file}`);
  }
  writeFileSync(join(dir, 'mosquitto.conf'), `${lines.join('\n')}\n${extra}\n`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function listening(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`mosquitto did not start:\n${log()}`);
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      once(child, 'exit').then(() => false),
    ]);
    socket.destroy();
    if (open) return;
    await sleep(20);
  }
}
