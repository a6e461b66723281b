/** Makes crun, runc and podman work on this machine for the time of the benchmark, and undoes it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Peers {
  /** Environment for podman: storage, networks and configuration of its own. */
  env: NodeJS.ProcessEnv;
  undo(): void;
}

export function preparePeers(): Peers {
  const undo: (() => void)[] = [];
  claimHugetlb(undo);
  const base = mkdtempSync('/var/tmp/edgepod-bench-podman-');
  undo.push(() => rmSync(base, { recursive: true, force: true }));
  const conf = join(base, 'containers.conf');
  const files = Math.min(1024, hardLimit('Max open files'));
  const processes = Math.min(4096, hardLimit('Max processes'));
  // With cgroup v2 and no systemd this podman forbids a pod's cgroup every device, its own containers' /dev/null too.
  const manager = existsSync('/run/systemd/system') ? 'systemd' : 'cgroupfs';
  // Podman raises limits to its own defaults, which needs a capability that not every machine gives.
  writeFileSync(
    conf,
    `[containers]\ndefault_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]\n[engine]\ncgroup_manager = "${manager}"\nevents_logger = "file"\nruntime = "crun"\n[network]\nnetwork_config_dir = "${join(base, 'networks')}"\n`,
  );
  const storage = join(base, 'storage.conf');
  writeFileSync(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(base, 'graph')}"\nrunroot = "${join(base, 'run')}"\n`,
  );
  const policy = join(base, 'policy.json');
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  return {
    env: { ...process.env, CONTAINERS_CONF: conf, CONTAINERS_STORAGE_CONF: storage, BENCH_POLICY: policy },
    undo: () => {
      for (const step of undo.reverse()) step();
    },
  };
}

/** crun refuses a hybrid machine whose v2 tree still has a controller: mount the last one as v1 meanwhile. */
function claimHugetlb(undo: (() => void)[]): void {
  const unified = '/sys/fs/cgroup/unified/cgroup.controllers';
  if (!existsSync(unified) || !readFileSync(unified, 'utf8').includes('hugetlb')) return;
  const mountPoint = '/sys/fs/cgroup/hugetlb';
  mkdirSync(mountPoint, { recursive: true });
  execFileSync('mount', ['-t', 'cgroup', '-o', 'hugetlb', 'cgroup', mountPoint]);
  undo.push(() => {
    execFileSync('umount', [mountPoint]);
    rmdirSync(mountPoint);
  });
}

function hardLimit(name: string): number {
  const line =
    readFileSync('/proc/self/limits', 'utf8')
      .split('\n')
      .find((text) => text.startsWith(name)) ?? '';
  const hard = line.slice(name.length).trim().split(/\s+/)[1];
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
