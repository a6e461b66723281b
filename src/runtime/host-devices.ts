/** The node's device nodes, for privileged containers. */
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

export interface DeviceNode {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

/** As containerd: what a container has of its own, and what is no device. */
const LEFT_OUT = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console', 'ptmx']);
/** The runner takes no more. */
const MAX = 4096;

/** Every character and block device below /dev; links are not followed. */
export function hostDevices(root = '/dev'): DeviceNode[] {
  const found: DeviceNode[] = [];
  const walk = (dir: string): void => {
    for (const entry of entries(dir)) {
      const path = join(dir, entry.name);
      if (dir === root && LEFT_OUT.has(entry.name)) continue;
      if (entry.isDirectory()) walk(path);
      else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && found.length < MAX) {
        const stats = statSync(path, { throwIfNoEntry: false });
        if (stats) found.push(node(path, stats));
      }
    }
  };
  walk(root);
  return found;
}

/** Devices come and go. */
function entries(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Linux packs a device number as minor 0-7, major 8-19, minor 20-31. */
function node(path: string, { rdev, mode, uid, gid }: Stats): DeviceNode {
  const type = (mode & 0o170000) === 0o060000 ? 'b' : 'c';
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return { path, type, major, minor, fileMode: mode & 0o7777, uid, gid };
}
