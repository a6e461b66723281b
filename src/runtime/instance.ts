/** Names that keep two agents on one machine apart. Pure. */
import { createHash } from 'node:crypto';

export const DEFAULT_DATA_DIR = '/var/lib/edgepod';

export interface InstanceNames {
  /** Bridge of the pod network; at most 15 characters. */
  bridge: string;
  /** Root of all control groups, relative to the hierarchy. */
  cgroupRoot: string;
  /** nftables table. */
  table: string;
}

/** The plain names for the default data directory, else with six hex digits of a hash of the directory. */
export function instanceNames(dataDir: string, defaultDir: string = DEFAULT_DATA_DIR): InstanceNames {
  if (dataDir === defaultDir) return { bridge: 'edgepod0', cgroupRoot: 'edgepod', table: 'edgepod' };
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 6);
  return { bridge: `edgepod-${hash}`, cgroupRoot: `edgepod-${hash}`, table: `edgepod-${hash}` };
}

/** Name of the node's end of a pod's veth pair: 14 characters, different for every (instance, pod). */
export function linkName(bridge: string, uid: string): string {
  return `veth${createHash('sha256').update(`${bridge}/${uid}`).digest('hex').slice(0, 10)}`;
}

export const podCgroup = (cgroupRoot: string, uid: string): string => `${cgroupRoot}/pod${uid}`;
