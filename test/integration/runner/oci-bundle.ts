/** OCI bundles around a busybox root, made on the fly, and the runner to try them with. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { globSync, rmdirSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { leakedSoon, type Traces, traces } from '../../leaks.ts';
import { patience } from '../../patience.ts';
import { nativeProgram } from './native-build.ts';

const BUSYBOX = '/bin/busybox';
const APPLETS = [
  'sh',
  'ls',
  'cat',
  'id',
  'mount',
  'touch',
  'readlink',
  'sleep',
  'mkdir',
  'ln',
  'grep',
  'stat',
  'hostname',
  'true',
];

/** A test needs root and busybox; the reason it cannot run, or false. */
export const skip = process.getuid?.() !== 0 && 'needs root';

export interface OciMount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

/** The part of config.json that tests change. */
export interface Config {
  ociVersion: string;
  process: {
    args: string[];
    cwd: string;
    env: string[];
    user: { uid: number; gid: number; additionalGids?: number[] };
    noNewPrivileges?: boolean;
    capabilities?: Record<string, string[]>;
    rlimits?: { type: string; soft: number; hard: number }[];
    oomScoreAdj?: number;
    terminal?: boolean;
    apparmorProfile?: string;
  };
  root: { path: string; readonly?: boolean };
  hostname?: string;
  mounts: OciMount[];
  annotations: Record<string, string>;
  hooks?: object;
  linux: {
    namespaces: { type: string; path?: string }[];
    maskedPaths: string[];
    readonlyPaths: string[];
    cgroupsPath: string;
    resources?: object;
    sysctl?: Record<string, string>;
    seccomp?: object;
    devices?: object[];
  };
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Bundle {
  path: string;
  rootfs: string;
  id: string;
  config: Config;
}

let runner: string;
let base: string;
let stateRoot: string;
let count = 0;
let clean: Traces;
const cgroupParent = `edgepod-test-oci-${process.pid}`;

/** Registers set-up and, at the end of the file's tests, the check that nothing is left on the machine. */
export function useRunner(): void {
  before(async () => {
    runner = await nativeProgram('edgepod-runner');
    base = await mkdtemp(join(tmpdir(), 'edgepod-oci-'));
    await chmod(base, 0o755);
    stateRoot = join(base, 'state');
    clean = traces();
  });
  after(async () => {
    const left = await leakedSoon(clean);
    // Other tests' pods come and go meanwhile: only what carries this file's names, or a mount below its directory.
    assert.deepEqual(
      left.filter((line) => line.includes(base) || line.includes(`/${cgroupParent}/`)),
      [],
    );
    for (const directory of globSync(`/sys/fs/cgroup/{,*/}${cgroupParent}`)) rmdirSync(directory);
    await rm(base, { recursive: true, force: true });
  });
}

export const runnerPath = (): string => runner;
export const scratch = (): string => base;

function defaultConfig(id: string): Config {
  return {
    ociVersion: '1.0.2',
    process: { args: ['true'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
      },
    ],
    annotations: {},
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      maskedPaths: [
        '/proc/kcore',
        '/proc/keys',
        '/proc/timer_list',
        '/proc/interrupts',
        '/proc/acpi',
        '/proc/scsi',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
      cgroupsPath: `${cgroupParent}/${id}`,
    },
  };
}

/** A bundle whose program is `sh -c SCRIPT`; `edit` changes its configuration, `prepare` its root directory. */
export async function bundle(
  script: string,
  { edit, prepare }: { edit?: (config: Config) => void; prepare?: (rootfs: string) => Promise<unknown> } = {},
): Promise<Bundle> {
  const id = `t${process.pid}-${++count}`;
  const path = join(base, id);
  const rootfs = join(path, 'rootfs');
  await mkdir(join(rootfs, 'bin'), { recursive: true });
  await copyFile(BUSYBOX, join(rootfs, 'bin/busybox'));
  await Promise.all(APPLETS.map((name) => link(join(rootfs, 'bin/busybox'), join(rootfs, 'bin', name))));
  await prepare?.(rootfs);
  const config = defaultConfig(id);
  config.process.args = ['sh', '-c', script];
  edit?.(config);
  await writeFile(join(path, 'config.json'), JSON.stringify(config));
  return { path, rootfs, id, config };
}

/** Runs a program to its end; a signal death is reported as a shell would. */
export async function execute(file: string, args: string[]): Promise<Outcome> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  return { code, ...text };
}

/** The runner's command line, with a state directory of the tests' own. */
export const command = (...args: string[]): Promise<Outcome> => execute(runner, ['--root', stateRoot, ...args]);

/** `run` of a bundle to its end. */
export const run = ({ path, id }: Bundle): Promise<Outcome> => command('run', '-b', path, id);

/** Makes a bundle and runs it. */
export async function runScript(script: string, options: Parameters<typeof bundle>[1] = {}): Promise<Outcome> {
  return run(await bundle(script, options));
}

/** The output of a script that must succeed, without the last line break. */
export async function output(script: string, options: Parameters<typeof bundle>[1] = {}): Promise<string> {
  const { code, stdout, stderr } = await runScript(script, options);
  assert.equal(code, 0, `${stdout}${stderr}`);
  return stdout.trimEnd();
}

/** `run` on a kernel that lacks these system calls. */
export async function runWithout(calls: string[], { path, id }: Bundle): Promise<Outcome> {
  const tool = await nativeProgram('tools/no_syscall');
  return execute(tool, [calls.join(','), runner, '--root', stateRoot, 'run', '-b', path, id]);
}

/** `run` in the background. */
export function start({ path, id }: Bundle): ChildProcess {
  return spawn(runner, ['--root', stateRoot, 'run', '-b', path, id], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** What `state` prints, as the OCI runtime specification has it. */
export interface State {
  ociVersion: string;
  id: string;
  status: string;
  pid: number;
  bundle: string;
}

/** What `state` says of a container; undefined while there is none. */
export async function state(id: string): Promise<State | undefined> {
  const { code, stdout } = await command('state', id);
  return code === 0 ? JSON.parse(stdout) : undefined;
}

/** Waits until `state` says so. */
export async function untilStatus(id: string, status: string): Promise<void> {
  const deadline = performance.now() + patience(10_000);
  for (;;) {
    const now = (await state(id))?.status;
    if (now === status) return;
    if (performance.now() > deadline) assert.fail(`${id} is ${now}, never ${status}`);
    await sleep(10);
  }
}

export const sh = (line: string) => promisify(execFile)('sh', ['-c', line]);
