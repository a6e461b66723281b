/** Clears away what belongs to this instance but to no living sandbox: after a crash, and at teardown. */
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, runtimeError } from './errors.ts';
import type { Addon } from './native.ts';
import { listSandboxDirs } from './sandbox-dir.ts';

export interface Instance {
  addon: Addon;
  runDir: string;
  cgroupRoot: string;
  network: { reapLinks(uids: string[]): Promise<string[]> };
}

export interface Reaped {
  cgroups: string[];
  links: string[];
  /** Uids whose run directory (and mounts below it) was removed. */
  dirs: string[];
}

const CGROUP_MOUNT = '/sys/fs/cgroup';

/**
 * Call after `attachAll` with the uids of the sandboxes that live, and while none is being created.
 * @throws RuntimeError for the first thing that cannot be removed, after everything else was
 */
export async function reapStrays(instance: Instance, livingUids: string[]): Promise<Reaped> {
  const { addon, runDir, cgroupRoot, network } = instance;
  const living = new Set(livingUids);
  const groups = (await podCgroups(cgroupRoot)).filter((name) => !living.has(name.slice('pod'.length)));
  const dirs = (await listSandboxDirs(runDir)).filter(({ uid }) => !living.has(uid));
  // Processes first: they hold mounts and links.
  const results = await Promise.allSettled(groups.map((name) => addon.destroyCgroup(`${cgroupRoot}/${name}`)));
  const [links, ...removed] = await Promise.allSettled([
    network.reapLinks(livingUids),
    ...dirs.map((dir) => dir.remove(addon)),
  ]);
  const failed = [...results, links, ...removed].find((result) => result.status === 'rejected');
  if (failed) throw runtimeError(failed.reason, { step: 'reap' });
  return { cgroups: groups, links: links.status === 'fulfilled' ? links.value : [], dirs: dirs.map(({ uid }) => uid) };
}

/** At teardown, when no sandbox lives: the instance's empty cgroup root and run directory. */
export async function removeInstanceRoots({ addon, runDir, cgroupRoot }: Instance): Promise<void> {
  await addon.destroyCgroup(cgroupRoot);
  await rm(join(runDir, 'seccomp'), { recursive: true, force: true }); // the shims' cache of compiled filters
  for (const dir of [join(runDir, 'pods'), runDir]) {
    await rmdir(dir).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT', 'ENOTEMPTY')) throw error;
    });
  }
}

/** Names `pod<uid>` under the instance's root, over all hierarchies (v1) or the one (v2). */
async function podCgroups(cgroupRoot: string): Promise<string[]> {
  const hierarchies = ['.', ...(await readdir(CGROUP_MOUNT).catch(() => []))];
  const names = new Set<string>();
  for (const hierarchy of hierarchies) {
    const root = join(CGROUP_MOUNT, hierarchy, cgroupRoot);
    for (const name of await readdir(root).catch(() => [])) {
      if (name.startsWith('pod') && (await isDirectory(join(root, name)))) names.add(name);
    }
  }
  return [...names];
}

const isDirectory = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
