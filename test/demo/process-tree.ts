/** The process tree of a pod, read from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessNode {
  pid: number;
  /** `shim`, `infra`, or what the command line says. */
  label: string;
  netns: string;
  children: ProcessNode[];
}

/** The tree below the shim with process id `shimPid`; undefined when it is gone. */
export function processTree(shimPid: number): ProcessNode | undefined {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const node = (pid: number): ProcessNode | undefined => {
    try {
      return {
        pid,
        label: label(pid),
        netns: readlinkSync(`/proc/${pid}/ns/net`),
        children: (children.get(pid) ?? []).sort((a, b) => a - b).flatMap((child) => node(child) ?? []),
      };
    } catch {
      return undefined;
    }
  };
  return node(shimPid);
}

/** The tree as text, one process a line. */
export function drawTree(tree: ProcessNode, indent = ''): string {
  const line = `${indent}${tree.pid}  ${tree.label}`;
  return [line, ...tree.children.map((child) => drawTree(child, `${indent}  `))].join('\n');
}

/** Every process of the tree, parents first. */
export function flatten(tree: ProcessNode): ProcessNode[] {
  return [tree, ...tree.children.flatMap(flatten)];
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function label(pid: number): string {
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  const command = argv.join(' ');
  if (/edgepod-runner/.test(argv[0] ?? '') && argv[1] === 'shim')
    return `edgepod-runner shim            (parent of the pod)`;
  if (/(^|\/|-)pause$/.test(argv[0] ?? '')) return `pause                        (infra process: holds the namespaces)`;
  return command.length > 70 ? `${command.slice(0, 67)}...` : command;
}
