/** The processes of a pod, as the node sees them. */
import { globSync, readFileSync } from 'node:fs';

/** Every process in a cgroup of the pod, by container (`_infra` holds shim and infra process). */
export function processesOf(uid: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const path of globSync(`/sys/fs/cgroup/{,pids/,memory/}edgepod*/pod${uid}/*/cgroup.procs`)) {
    const name = path.split('/').at(-2)!;
    found.set(name, readFileSync(path, 'utf8').trim().split('\n').filter(Boolean).map(Number));
  }
  return found;
}

/** The process a container began with: the one whose parent is not in the container. Undefined when it has ended. */
export function initOf(uid: string, container: string): number | undefined {
  const pids = processesOf(uid).get(container) ?? [];
  return pids.find((pid) => !pids.includes(parentOf(pid)));
}

/** The pod's infra process. */
export function infraOf(uid: string): number | undefined {
  const named = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] === 'edgepod-pause';
  return processesOf(uid).get('_infra')?.find(named);
}

/** 0 for a process that is gone. */
export function parentOf(pid: number): number {
  return Number(statusOf(pid, 'PPid') ?? 0);
}

/** A field of /proc/<pid>/status; undefined for a process that is gone. */
export function statusOf(pid: number, field: string): string | undefined {
  try {
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
