/**
 * Figures of the node and of all pods from one native call. The addon fills one Float64Array that is kept between
 * readings; the positions here are those of native/lib/stats/{node,cgroup}_stats.h. A figure the kernel does not give
 * is `undefined`.
 */
import { RuntimeError } from './errors.ts';
import type { Addon } from './native.ts';

/** Per cent of the last ten seconds in which some / all tasks waited. */
export interface Pressure {
  some?: number;
  full?: number;
}

export interface CgroupFigures {
  /** Bytes. `workingSet` is current minus inactive file cache, the kubelet's figure; `limit` undefined: none. */
  memory: {
    current?: number;
    workingSet?: number;
    anon?: number;
    peak?: number;
    limit?: number;
    oomKills?: number;
    pressure: Pressure;
  };
  cpu: { usageUsec?: number; throttledUsec?: number };
  pids?: number;
}

/** Counters as the pod sees them: what it received and sent. Bytes and packets. */
export interface NetworkFigures {
  rxBytes: number;
  rxPackets: number;
  txBytes: number;
  txPackets: number;
}

export interface PodFigures extends CgroupFigures {
  containers: Record<string, CgroupFigures>;
  /** Absent with hostNetwork. */
  network?: NetworkFigures;
}

export interface NodeFigures {
  memory: {
    total?: number;
    available?: number;
    free?: number;
    cached?: number;
    swapTotal?: number;
    swapFree?: number;
    pressure: Pressure;
  };
  /** Seconds since boot over all CPUs. */
  cpu: { busySeconds?: number; totalSeconds?: number; pressure: Pressure };
  load: { one?: number; five?: number; fifteen?: number };
  io: { pressure: Pressure };
  /** Bytes through the node's own interfaces: without loopback, bridge and pod links. */
  network: { rxBytes?: number; txBytes?: number };
  uptimeSeconds?: number;
}

/** What to read of one pod. */
export interface StatsTarget {
  uid: string;
  /** The pod's cgroup, `edgepod/pod<uid>`; containers are below it. */
  cgroup: string;
  containers: string[];
  /** Node's end of the pod's link. */
  link?: string;
}

export interface Figures {
  node: NodeFigures;
  pods: Map<string, PodFigures>;
}

/** Sizes of the blocks as this file reads them; the addon's must be the same. */
const LAYOUT = { node: 19, cgroup: 11, link: 4 };

export class StatsReader {
  readonly #addon: Addon;
  readonly #root: string;
  #buffer = new Float64Array(256);

  /** @throws RuntimeError when addon and bundle are of different versions */
  constructor(addon: Addon, { root = '/sys/fs/cgroup' } = {}) {
    const { node, cgroup, link } = addon.statsLayout;
    if (node !== LAYOUT.node || cgroup !== LAYOUT.cgroup || link !== LAYOUT.link)
      throw new RuntimeError({ step: 'stats', code: 'ENATIVE', detail: 'edgepod.node is of another version' });
    this.#addon = addon;
    this.#root = root;
  }

  /** Figures of any control groups, and the node's. */
  readGroups(cgroups: string[]): { node: NodeFigures; groups: CgroupFigures[] } {
    this.#fill(cgroups, []);
    const groups = cgroups.map((_, index) => cgroupFigures(this.#buffer, LAYOUT.node + index * LAYOUT.cgroup));
    return { node: nodeFigures(this.#buffer), groups };
  }

  /** @param otherLinks interfaces to leave out of the node's totals, such as the bridge */
  read(targets: StatsTarget[], otherLinks: string[] = []): Figures {
    const cgroups = targets.flatMap(({ cgroup, containers }) => [
      cgroup,
      ...containers.map((name) => `${cgroup}/${name}`),
    ]);
    const links = [...targets.flatMap(({ link }) => (link === undefined ? [] : [link])), ...otherLinks];
    this.#fill(cgroups, links);

    const pods = new Map<string, PodFigures>();
    let at = LAYOUT.node;
    let linkAt = LAYOUT.node + cgroups.length * LAYOUT.cgroup;
    const group = () => {
      const figures = cgroupFigures(this.#buffer, at);
      at += LAYOUT.cgroup;
      return figures;
    };
    for (const { uid, containers, link } of targets) {
      const pod: PodFigures = { ...group(), containers: {} };
      for (const name of containers) pod.containers[name] = group();
      pod.memory.oomKills = podOomKills(pod);
      if (link !== undefined) {
        const network = linkFigures(this.#buffer, linkAt);
        if (network) pod.network = network;
        linkAt += LAYOUT.link;
      }
      pods.set(uid, pod);
    }
    return { node: nodeFigures(this.#buffer), pods };
  }

  #fill(cgroups: string[], links: string[]): void {
    const size = LAYOUT.node + cgroups.length * LAYOUT.cgroup + links.length * LAYOUT.link;
    if (this.#buffer.length < size) this.#buffer = new Float64Array(size * 2);
    this.#addon.readStats(this.#root, cgroups, links, this.#buffer);
  }
}

/** v1 counts kills only where they happened; v2 sums the subtree, ended containers included. */
function podOomKills(pod: PodFigures): number {
  const containers = Object.values(pod.containers).reduce((sum, { memory }) => sum + (memory.oomKills ?? 0), 0);
  return Math.max(pod.memory.oomKills ?? 0, containers);
}

/** Leaves out what is unknown (NaN) or unlimited (infinity). */
function known<T extends Record<string, number | undefined>>(figures: T): { [K in keyof T]?: number } {
  const result: { [K in keyof T]?: number } = {};
  for (const key in figures) if (Number.isFinite(figures[key])) result[key] = figures[key] as number;
  return result;
}

function cgroupFigures(values: Float64Array, at: number): CgroupFigures {
  const [current = 0, inactive = 0, anon, peak, limit, oomKills, usageUsec, throttledUsec, pids, some, full] =
    values.subarray(at, at + LAYOUT.cgroup);
  // The two files are read one after the other, so the difference can be a little below zero.
  const workingSet = Math.max(0, current - inactive);
  return {
    memory: { ...known({ current, workingSet, anon, peak, limit, oomKills }), pressure: known({ some, full }) },
    cpu: known({ usageUsec, throttledUsec }),
    ...known({ pids }),
  };
}

/** The node's end of the pair counts the other way round. */
function linkFigures(values: Float64Array, at: number): NetworkFigures | undefined {
  const [txBytes = 0, txPackets = 0, rxBytes = 0, rxPackets = 0] = values.subarray(at, at + LAYOUT.link);
  return Number.isNaN(txBytes) ? undefined : { rxBytes, rxPackets, txBytes, txPackets };
}

function nodeFigures(values: Float64Array): NodeFigures {
  const [total, available, free, cached, swapTotal, swapFree, busySeconds, totalSeconds, one, five, fifteen, ...rest] =
    values.subarray(0, LAYOUT.node);
  const [uptimeSeconds, memSome, memFull, cpuSome, ioSome, ioFull, rxBytes, txBytes] = rest;
  return {
    memory: {
      ...known({ total, available, free, cached, swapTotal, swapFree }),
      pressure: known({ some: memSome, full: memFull }),
    },
    cpu: { ...known({ busySeconds, totalSeconds }), pressure: known({ some: cpuSome }) },
    load: known({ one, five, fifteen }),
    io: { pressure: known({ some: ioSome, full: ioFull }) },
    network: known({ rxBytes, txBytes }),
    ...known({ uptimeSeconds }),
  };
}

export interface ProcessMemory {
  pid: number;
  rss?: number;
  anon?: number;
  pss?: number;
}

/** Memory of single processes in bytes; `pss` costs a walk over their page tables. A pid that is gone has no figures. */
export async function readProcesses(addon: Addon, pids: number[], { pss = false } = {}): Promise<ProcessMemory[]> {
  const values = await addon.readProcesses(pids, pss);
  return pids.map((pid, index) => {
    const [rss, anon, share] = values.subarray(index * 3, index * 3 + 3);
    return { pid, ...known({ rss, anon, pss: share }) };
  });
}
