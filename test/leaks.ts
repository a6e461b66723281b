/** What pods may leave on a machine: taken before and after a test, the difference must be empty. */

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { patience } from './patience.ts';

export interface Traces {
  mounts: string[];
  links: string[];
  cgroups: string[];
  processes: string[];
  tables: string[];
  netns: string[];
}

/** Everything on this machine that edgepod can create, as sorted lines of text. */
export function traces(): Traces {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').map(mountLine).sort(),
    links: readdirSync('/sys/class/net').sort(),
    cgroups: globSync('/sys/fs/cgroup/{,*/}edgepod*{,/*,/*/*}').filter(isDirectory).sort(),
    processes: ownProcesses(),
    tables: nftTables(),
    netns: existsSync('/run/netns') ? readdirSync('/run/netns').sort() : [],
  };
}

/** Lines in `after` that were not in `before`, `kind: line`; empty when nothing was left. */
export function leaked(before: Traces, after: Traces): string[] {
  return (Object.keys(after) as (keyof Traces)[]).flatMap((kind) =>
    after[kind].filter((line) => !before[kind].includes(line)).map((line) => `${kind}: ${line}`),
  );
}

/**
 * What is left compared with `before`, given the kernel a moment: a network namespace and its links are taken down
 * after the last process in it is gone, asynchronously.
 */
export async function leakedSoon(before: Traces, patienceMs = 3000): Promise<string[]> {
  const deadline = performance.now() + patience(patienceMs);
  for (;;) {
    const left = leaked(before, traces());
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isDirectory = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Mount point and type: ids and options change by themselves. */
function mountLine(line: string): string {
  const fields = line.split(' ');
  return `${fields[4]} ${fields[fields.indexOf('-') + 1]}`;
}

/** Processes that run one of our native programs, or were started by one: `pid name`. */
function ownProcesses(): string[] {
  const parents = new Map<string, { name: string; parent: string; own: boolean }>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(stat) ?? [];
      parents.set(pid, { name, parent: rest.split(' ')[1] ?? '0', own: isOurs(pid) });
    } catch {
      // gone in the meantime
    }
  }
  const belongs = (pid: string): boolean => {
    const process = parents.get(pid);
    return process !== undefined && (process.own || belongs(process.parent));
  };
  return [...parents].filter(([pid]) => belongs(pid)).map(([pid, { name }]) => `${pid} ${name}`);
}

function isOurs(pid: string): boolean {
  try {
    return /\/(edgepod-runner|edgepod-unpack|pause)( \(deleted\))?$/.test(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return false;
  }
}

function nftTables(): string[] {
  try {
    return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }).trim().split('\n').filter(Boolean).sort();
  } catch {
    return []; // no nft on this machine: nothing of ours in it
  }
}
