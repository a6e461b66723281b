/**
 * What the board is: model, operating system, processors, disks. Read once at start through systeminformation, which
 * forks a dozen helpers to find out (the agent lets a process of its own do it); everything that changes is read elsewhere, from /proc and cgroups.
 */
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

export interface BoardFacts {
  /** `Raspberry Pi 4 Model B Rev 1.4`; empty when the firmware says nothing. */
  model: string;
  osImage: string;
  kernelVersion: string;
  /** As in OCI platforms: amd64, arm64. */
  architecture: string;
  cpuModel: string;
  cpuCount: number;
  memoryBytes: number;
  machineId: string;
  bootId: string;
  disks: { name: string; type: string; bytes: number }[];
}

/** OCI platform name of the processor this process runs on. */
export function ociArchitecture(arch: string = process.arch): string {
  return arch === 'x64' ? 'amd64' : arch;
}

/** Facts that cost one file read each: enough to start with. */
export function quickFacts(): BoardFacts {
  return {
    model: deviceTreeModel(),
    osImage: osRelease(),
    kernelVersion: release(),
    architecture: ociArchitecture(),
    cpuModel: '',
    cpuCount: cpus().length,
    memoryBytes: totalmem(),
    machineId: readText('/etc/machine-id'),
    bootId: bootId(),
    disks: [],
  };
}

/** All facts; takes up to a second on a small board, mostly in other processes. Falls back to `quick` where a source is missing. */
export async function fullFacts(quick: BoardFacts): Promise<BoardFacts> {
  // A CommonJS module: the bundle, unlike Node, gives it only a default export.
  const { default: si } = await import('systeminformation');
  const [system, os, cpu, disks] = await Promise.all([si.system(), si.osInfo(), si.cpu(), si.diskLayout()]);
  return {
    ...quick,
    model: quick.model || [system.manufacturer, system.model].filter((part) => part && part !== '-').join(' '),
    osImage: quick.osImage || `${os.distro} ${os.release}`.trim(),
    cpuModel: [cpu.manufacturer, cpu.brand].filter(Boolean).join(' '),
    disks: disks.map(({ name, device, type, size }) => ({ name: name || device, type, bytes: size ?? 0 })),
  };
}

/** Identity of this boot: monotonic times and the run directory are only good within one. */
export function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id');
}

/** The hottest thermal zone, in °C; undefined on machines without one. */
export function temperatureCelsius(): number | undefined {
  let hottest: number | undefined;
  for (let zone = 0; zone < 16; zone++) {
    const text = readText(`/sys/class/thermal/thermal_zone${zone}/temp`);
    if (text === '') break;
    const celsius = Number(text) / 1000;
    if (Number.isFinite(celsius) && (hottest === undefined || celsius > hottest)) hottest = celsius;
  }
  return hottest;
}

export interface DiskFigures {
  capacityBytes: number;
  availableBytes: number;
  inodes: number;
  inodesFree: number;
}

/** Figures of the file system that holds `path`. */
export function diskFigures(path: string): DiskFigures {
  const { bsize, blocks, bavail, files, ffree } = statfsSync(path);
  return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree };
}

function deviceTreeModel(): string {
  return readText('/proc/device-tree/model').replaceAll('\0', '');
}

function osRelease(): string {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(readText('/etc/os-release'))?.[1] ?? '';
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
