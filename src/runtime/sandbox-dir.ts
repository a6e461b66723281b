/** A sandbox's run directory `<run-dir>/pods/<uid>`: what is written for the shim and read back when it is dead. */
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerRecord, ContainerSpec, SandboxSpec } from '../pods/ports.ts';
import { RuntimeError } from './errors.ts';
import { mountsBelow } from './mounts.ts';
import type { Addon } from './native.ts';

/** The shim's own limit for a container's config.json. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** containerd's size. */
const SHM_BYTES = 64 * 1024 * 1024;

/** Path components that come from the outside (uid) are checked before they become paths. */
const UID = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/;

export class SandboxDir {
  readonly path: string;
  readonly uid: string;

  constructor(runDir: string, uid: string) {
    if (!UID.test(uid))
      throw new RuntimeError({ step: 'sandbox-create', code: 'EINVAL', detail: 'bad uid', object: uid });
    this.uid = uid;
    this.path = join(runDir, 'pods', uid);
  }

  get socket(): string {
    return join(this.path, 'shim.sock');
  }

  /** Makes the directory and sandbox.json; `cgroup` is the pod's control group. */
  async create(spec: SandboxSpec, cgroup: string): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    const { uid, resources, sysctls, namespaces, firstUser } = spec;
    // As containerd: whoever is in the node's network has the node's name too.
    const hostname = namespaces.network === 'host' ? '' : spec.hostname;
    // -998 as the kubelet's sandbox containers: infra process and shim are the last of the pod to be killed for memory.
    const document = {
      version: 1,
      uid,
      hostname,
      cgroup,
      namespaces,
      resources,
      oomScoreAdj: -998,
      sysctls,
      firstUser,
      spec,
    };
    await writeAtomically(join(this.path, 'sandbox.json'), JSON.stringify(document));
  }

  /** The pod's /dev/shm, as all containers of an IPC namespace expect to share it; `remove` unmounts it. */
  async mountShm(addon: Addon): Promise<void> {
    const path = join(this.path, 'shm');
    await mkdir(path, { recursive: true, mode: 0o700 });
    await addon.mountTmpfs(path, SHM_BYTES, 0o1777);
  }

  /** The spec given to `create`; undefined when the file is missing or not ours. */
  async spec(): Promise<SandboxSpec | undefined> {
    const text = await readFile(join(this.path, 'sandbox.json'), 'utf8').catch(() => '');
    try {
      const { version, spec } = JSON.parse(text) as { version?: number; spec?: SandboxSpec };
      return version === 1 && spec?.uid === this.uid ? spec : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes the bundle of one container; returns its path relative to the directory. */
  async writeBundle({ name, attempt, config }: ContainerSpec): Promise<string> {
    const bundle = `bundles/${name}-${attempt}`;
    const text = JSON.stringify(config);
    if (Buffer.byteLength(text) > MAX_CONFIG_BYTES)
      throw new RuntimeError({
        step: 'bundle-write',
        code: 'E2BIG',
        detail: 'the container configuration is larger than 1 MiB (environment, arguments, mounts)',
        object: `${this.uid}/${name}`,
      });
    await mkdir(join(this.path, bundle), { recursive: true, mode: 0o700 });
    await writeAtomically(join(this.path, bundle, 'config.json'), text);
    return bundle;
  }

  async removeBundle(name: string, attempt: number): Promise<void> {
    await rm(join(this.path, 'bundles', `${name}-${attempt}`), { recursive: true, force: true });
  }

  /** What a dead shim left about ended containers; unreadable records are skipped. */
  async exits(): Promise<ContainerRecord[]> {
    const dir = join(this.path, 'exits');
    const names = await readdir(dir).catch(() => []);
    const texts = await Promise.all(
      names.filter((name) => name.endsWith('.json')).map((name) => readFile(join(dir, name), 'utf8').catch(() => '')),
    );
    return texts.flatMap((text) => {
      try {
        return [JSON.parse(text) as ContainerRecord];
      } catch {
        return [];
      }
    });
  }

  /**
   * Removes the directory. Refuses to delete below a mount that cannot be unmounted: behind it could be anybody's data.
   */
  async remove(addon: Addon): Promise<void> {
    for (const mount of await mountsBelow(this.path)) await addon.unmount(mount, true);
    const [left] = await mountsBelow(this.path);
    if (left) throw new RuntimeError({ step: 'unmount', code: 'EBUSY', detail: left, object: this.uid });
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Every sandbox directory under `<run-dir>/pods`. */
export async function listSandboxDirs(runDir: string): Promise<SandboxDir[]> {
  const names = await readdir(join(runDir, 'pods')).catch(() => []);
  const dirs: SandboxDir[] = [];
  for (const name of names.filter((name) => UID.test(name))) {
    const dir = new SandboxDir(runDir, name);
    if ((await lstat(dir.path)).isDirectory()) dirs.push(dir);
  }
  return dirs;
}

async function writeAtomically(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}
