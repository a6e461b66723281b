/** A pod run by a real shim, in directories and cgroups of its own. Everything is removed by `close`. */

import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { program } from '../../images/programs.ts';
import { leakedSoon, type Traces, traces } from '../../leaks.ts';
import { patience } from '../../patience.ts';
import { PAUSE, RUNNER } from './native.ts';
import { ShimClient, type ShimError } from './shim-client.ts';

export interface SandboxOptions {
  namespaces?: { network?: string; ipc?: string; pid?: string; user?: string };
  /** The host's id of the pod's root; goes with `namespaces.user: 'pod'`. */
  firstUser?: number;
  resources?: object;
  sysctls?: Record<string, string>;
  hostname?: string;
  pause?: string;
  /** cgroup v2 directory its caller is in. */
  caller?: string;
}

export interface StartOptions {
  attempt?: number;
  /** Changes the OCI configuration before it is written. */
  config?: (config: ReturnType<typeof ociConfig>) => void;
  log?: { maxBytes?: number; maxFiles?: number };
  labels?: Record<string, string>;
}

let pods = 0;
const open = new Set<ShimPod>();

// What a failed test left running must not disturb the next file.
after(async () => {
  for (const pod of open) await pod.close();
});

export class ShimPod {
  readonly base = mkdtempSync('/var/tmp/edgepod-shim-');
  readonly uid = `u${process.pid}-${pods++}`;
  readonly dir = join(this.base, 'run/pods', this.uid);
  readonly socket = join(this.dir, 'shim.sock');
  readonly cgroupParent = `edgepod-shimtest-${this.uid}`;
  readonly cgroup = `${this.cgroupParent}/pod${this.uid}`;
  readonly #before: Traces = traces();
  readonly #clients: ShimClient[] = [];

  /** A pod whose shim runs. */
  static open(options: SandboxOptions = {}): ShimPod {
    const pod = new ShimPod();
    const error = pod.startShim(options);
    if (error) throw new Error(`shim: ${JSON.stringify(error)}`);
    return pod;
  }

  constructor() {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    open.add(this);
  }

  /** Starts the shim; undefined, or the error it printed. */
  startShim({
    namespaces,
    firstUser,
    resources,
    sysctls,
    hostname,
    pause,
    caller,
  }: SandboxOptions = {}): ShimError | undefined {
    const sandbox = {
      version: 1,
      uid: this.uid,
      hostname: hostname ?? 'web',
      cgroup: this.cgroup,
      namespaces: { network: 'pod', ipc: 'pod', pid: 'container', ...namespaces },
      resources: resources ?? {},
      oomScoreAdj: -998,
      sysctls: sysctls ?? {},
      ...(firstUser !== undefined && { firstUser }),
    };
    writeFileSync(join(this.dir, 'sandbox.json'), JSON.stringify(sandbox));
    const command = [RUNNER, 'shim', '--dir', this.dir, '--pause', pause ?? PAUSE];
    const moved = caller ? ['sh', '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', caller] : [];
    const [file = RUNNER, ...args] = [...moved, ...command];
    const { status, stdout } = spawnSync(file, args);
    if (status === 0) return undefined;
    return (JSON.parse(stdout.toString()) as { error: ShimError }).error;
  }

  get shimPid(): number {
    return Number(readFileSync(join(this.dir, 'shim.pid'), 'utf8'));
  }

  get infraPid(): number {
    return childrenOf(this.shimPid).find((pid) => commandOf(pid) === 'edgepod-pause') ?? -1;
  }

  /** A connection; with `hello` said unless told otherwise. */
  async connect({ hello = true } = {}): Promise<ShimClient> {
    const client = await ShimClient.connect(this.socket);
    this.#clients.push(client);
    if (hello) await client.request('hello');
    return client;
  }

  /** Writes the bundle and returns the params of `start`. `args[0]` names one of test/fixtures/programs. */
  prepare(name: string, args: string[], { attempt = 0, config, log, labels = {} }: StartOptions = {}): object {
    const bundle = `bundles/${name}-${attempt}`;
    const path = join(this.dir, bundle);
    const layers = join(this.base, 'layers', `${name}-${attempt}`);
    for (const dir of [join(path, 'rootfs'), join(layers, 'upper'), join(layers, 'work'), this.#image()])
      mkdirSync(dir, { recursive: true });
    const [command = 'exit', ...rest] = args;
    this.addProgram(command);
    const document = ociConfig({ args: [`/bin/${command}`, ...rest], image: this.#image(), layers });
    document.linux.cgroupsPath = `${this.cgroup}/${name}`;
    config?.(document);
    writeFileSync(join(path, 'config.json'), JSON.stringify(document));
    const file = { path: this.logPath(name, attempt), maxBytes: 10 << 20, maxFiles: 3, ...log };
    return { name, attempt, bundle, log: file, labels };
  }

  /** Puts one of test/fixtures/programs into the image, at /bin/<name>. */
  addProgram(name: string): void {
    const target = join(this.#image(), 'bin', name);
    if (existsSync(target)) return;
    mkdirSync(join(this.#image(), 'bin'), { recursive: true });
    copyFileSync(program(name), target);
  }

  logPath(name: string, attempt = 0): string {
    return join(this.base, 'logs', 'ns_pod_uid', name, `${attempt}.log`);
  }

  /** Lines of a container's log without their times. */
  logLines(name: string, attempt = 0): string[] {
    const text = readFileSync(this.logPath(name, attempt), 'utf8');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.slice(line.indexOf(' ') + 1));
  }

  /** Waits until a container has written its first line. */
  async ready(name: string, attempt = 0): Promise<void> {
    await eventually(`${name} is ready`, () => this.logLines(name, attempt).length > 0);
  }

  /** Control group directories of the pod, in every hierarchy. */
  cgroupDirs(name = ''): string[] {
    return globSync(`/sys/fs/cgroup/{,*/}${this.cgroup}${name && `/${name}`}`);
  }

  /**
   * Ends the shim by request, removes everything, and returns what is left all the same: of this pod only, for other
   * pods may come and go on this machine meanwhile.
   */
  async close(): Promise<string[]> {
    open.delete(this);
    const pids: number[] = [];
    if (existsSync(this.socket)) {
      pids.push(this.shimPid, ...childrenOf(this.shimPid));
      const client = await this.connect({ hello: false });
      await client.request('shutdown').catch(() => {});
    }
    for (const client of this.#clients) await client.kill();
    await this.removeCgroups();
    rmSync(this.base, { recursive: true, force: true });
    await eventually('the processes of the pod are gone', () => !pids.some(alive));
    return (await leakedSoon(this.#before, 0)).filter((line) => line.includes(this.uid) || line.includes(this.base));
  }

  /** What the agent does with the cgroups of a shim that died. Killed processes need a moment to leave them. */
  async removeCgroups(): Promise<void> {
    const dirs = globSync(`/sys/fs/cgroup/{,*/}${this.cgroupParent}{,/*,/*/*,/*/*/*}`);
    for (const dir of dirs.sort().reverse()) {
      if (!statSync(dir).isDirectory()) continue;
      await eventually(`${dir} is empty`, () => readFileSync(join(dir, 'cgroup.procs'), 'utf8') === '');
      rmdirSync(dir);
    }
  }

  #image(): string {
    return join(this.base, 'image');
  }
}

function ociConfig({ args, image, layers }: { args: string[]; image: string; layers: string }) {
  return {
    ociVersion: '1.1.0',
    process: {
      args,
      cwd: '/',
      env: ['PATH=/bin'],
      user: { uid: 0, gid: 0 },
      noNewPrivileges: true,
      oomScoreAdj: 500,
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }],
    linux: {
      cgroupsPath: '',
      namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'cgroup' }] as { type: string; path?: string }[],
      resources: {} as object,
    },
    annotations: {
      'io.edgepod.rootfs.lowerdir': JSON.stringify([image]),
      'io.edgepod.rootfs.upperdir': join(layers, 'upper'),
      'io.edgepod.rootfs.workdir': join(layers, 'work'),
    },
  };
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** First argument of a process; empty when it is gone or a zombie. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}

export const alive = (pid: number): boolean => commandOf(pid) !== '';

export const openFds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Waits for a condition on the machine. */
export async function eventually(what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + patience(20_000);
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
