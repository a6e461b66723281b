/** A runtime of its own for one test: directories, bridge, subnet, cgroups and table that nobody else uses. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerSpec, SandboxEvent, SandboxSpec } from '../../../src/pods/ports.ts';
import { type InstanceNames, instanceNames } from '../../../src/runtime/instance.ts';
import { loadNative, type Native } from '../../../src/runtime/native.ts';
import { PodNetwork } from '../../../src/runtime/network/pod-network.ts';
import { subnet } from '../../../src/runtime/network/subnet.ts';
import { removeInstanceRoots } from '../../../src/runtime/reap.ts';
import { createRuntime, type ShimRuntime } from '../../../src/runtime/runtime.ts';
import type { ShimSandbox } from '../../../src/runtime/sandbox.ts';
import { program } from '../../images/programs.ts';

export const native: Native = loadNative();

const log = { info() {}, warn() {} };
let rigs = 0;

export class Rig {
  readonly base = mkdtempSync('/var/tmp/edgepod-runtime-');
  readonly runDir = join(this.base, 'run');
  readonly names: InstanceNames = instanceNames(this.base);
  readonly network: PodNetwork;
  readonly warnings: string[] = [];
  #pods = 0;
  #runtimes: ShimRuntime[] = [];

  constructor() {
    // Test files run side by side: a third octet by process keeps their networks apart.
    const third = (process.pid * 7 + rigs++) % 250;
    const { bridge, table } = this.names;
    const cidr = `10.217.${third}.0/24`;
    this.network = new PodNetwork({ addon: native.addon, bridge, table, subnet: subnet(cidr), log });
  }

  /** A runtime on the rig's directories: the second one is the agent after its restart. */
  async runtime(network = this.network): Promise<ShimRuntime> {
    const { runDir } = this;
    const warn = (fields: object, message: string) => this.warnings.push(`${message} ${JSON.stringify(fields)}`);
    const { cgroupRoot } = this.names;
    const runtime = await createRuntime({ native, runDir, cgroupRoot, network, log: { ...log, warn } });
    this.#runtimes.push(runtime);
    return runtime;
  }

  /** A new pod's sandbox, with the next address. */
  spec(change: Partial<SandboxSpec> = {}): SandboxSpec {
    const number = this.#pods++;
    return {
      uid: `pod-${number}`,
      namespace: 'default',
      name: `web-${number}`,
      attempt: 0,
      hostname: `web-${number}`,
      namespaces: { network: 'pod', pid: 'container', ipc: 'pod', user: 'host' },
      ip: this.network.subnet.firstPod.replace(/\d+$/, String(number + 2)),
      resources: {},
      sysctls: {},
      hostPorts: [],
      labels: { app: 'web' },
      ...change,
    };
  }

  /** A container that runs one of test/fixtures/programs. */
  container(sandbox: ShimSandbox, name: string, [command = '', ...args]: string[], attempt = 0): ContainerSpec {
    const image = join(this.base, 'image');
    if (!existsSync(join(image, 'bin', command))) cpSync(program(command), join(image, 'bin', command));
    const layers = join(this.base, 'layers', sandbox.uid, `${name}-${attempt}`);
    for (const dir of ['upper', 'work']) mkdirSync(join(layers, dir), { recursive: true });
    const config = {
      ociVersion: '1.1.0',
      process: {
        args: [`/bin/${command}`, ...args],
        cwd: '/',
        env: ['PATH=/bin'],
        user: { uid: 0, gid: 0 },
        noNewPrivileges: true,
      },
      root: { path: 'rootfs', readonly: false },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }],
      linux: {
        cgroupsPath: `${sandbox.cgroup}/${name}`,
        namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'cgroup' }],
        resources: {},
      },
      annotations: {
        'io.edgepod.rootfs.lowerdir': JSON.stringify([image]),
        'io.edgepod.rootfs.upperdir': join(layers, 'upper'),
        'io.edgepod.rootfs.workdir': join(layers, 'work'),
      },
    };
    const path = join(this.logDir(sandbox.uid, name), `${attempt}.log`);
    return { name, attempt, config, log: { path, maxBytes: 1 << 20, maxFiles: 3 }, labels: { container: name } };
  }

  logDir(uid: string, container: string): string {
    return join(this.base, 'logs', uid, container);
  }

  /** Removes everything and tells what is left all the same: empty when all is well. */
  async close(): Promise<string[]> {
    for (const runtime of this.#runtimes) {
      for (const sandbox of runtime.sandboxes()) await sandbox.destroy();
    }
    await this.network.teardown();
    const { runDir, network } = this;
    await removeInstanceRoots({ addon: native.addon, runDir, cgroupRoot: this.names.cgroupRoot, network });
    const left = this.traces();
    rmSync(this.base, { recursive: true });
    return left;
  }

  /** What this instance has on the machine. */
  traces(): string[] {
    const { bridge, cgroupRoot, table } = this.names;
    const tables = execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }).split('\n');
    return [
      ...readdirSync('/sys/class/net').filter((name) => name === bridge || this.ports().includes(name)),
      ...globSync(`/sys/fs/cgroup/{,*/}${cgroupRoot}`),
      ...tables.filter((line) => line.endsWith(` ${table}`)),
      ...readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(this.base)),
      ...(existsSync(this.runDir) ? [this.runDir, ...readdirSync(this.runDir)] : []),
    ];
  }

  /** Links plugged into the bridge. */
  ports(): string[] {
    const path = `/sys/class/net/${this.names.bridge}/brif`;
    return existsSync(path) ? readdirSync(path) : [];
  }
}

/** What a pod prints when this JavaScript runs in its network namespace, on the test's own node. */
export async function inNetworkOf(sandbox: ShimSandbox, script: string): Promise<string> {
  const netns = `--net=/proc/${sandbox.infraPid}/ns/net`;
  const { stdout } = await promisify(execFile)('nsenter', [netns, process.execPath, '-e', script]);
  return stdout.trim();
}

/** Body of an HTTP answer, fetched from inside the pod. */
export const fetchFrom = (sandbox: ShimSandbox, url: string): Promise<string> =>
  inNetworkOf(
    sandbox,
    `fetch(${JSON.stringify(url)}).then((r) => r.text()).then(console.log, (e) => console.log('error', e.cause?.code))`,
  );

/** Collects a sandbox's events; `next` waits for the first one not yet taken that fits. */
export class Events {
  readonly all: SandboxEvent[] = [];
  #waiting: (() => void)[] = [];

  constructor(sandbox: ShimSandbox) {
    sandbox.onEvent((event) => {
      this.all.push(event);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  async next<T extends SandboxEvent['type']>(type: T): Promise<SandboxEvent & { type: T }> {
    for (;;) {
      const found = this.all.find((event): event is SandboxEvent & { type: T } => event.type === type);
      if (found) {
        this.all.splice(this.all.indexOf(found), 1);
        return found;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** Waits until the condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Waits for the first line of a container's log: its program is at work. */
export const ready = (rig: Rig, sandbox: ShimSandbox, name: string, attempt = 0): Promise<void> =>
  until(() => {
    const path = join(rig.logDir(sandbox.uid, name), `${attempt}.log`);
    return existsSync(path) && readFileSync(path, 'utf8').includes('\n');
  });

export const alive = (pid: number): boolean => existsSync(`/proc/${pid}/cmdline`) && commandLine(pid) !== '';

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
