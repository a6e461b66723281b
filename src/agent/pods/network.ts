/** The pod network of this instance: names, subnet (kept in the store), bridge and rules. */
import type { Logger } from 'pino';
import type { InstanceNames } from '../../runtime/instance.ts';
import type { Addon } from '../../runtime/native.ts';
import { PodNetwork } from '../../runtime/network/pod-network.ts';
import { chooseSubnet, parseRoutes, readRoutes } from '../../runtime/network/subnet.ts';
import type { MetaTable } from '../../store/meta.ts';

const SUBNET_KEY = 'network.subnet';

interface NetworkOptions {
  addon: Addon;
  names: InstanceNames;
  configured: { bridge?: string; subnet?: string };
  meta: MetaTable;
  log: Logger;
  /** Pods have the rules they need, or no longer. */
  onFault: () => void;
}

/** Chooses the subnet once and for all (running pods have addresses in it); the bridge itself comes with the first pod. */
export async function openNetwork({
  addon,
  names,
  configured,
  meta,
  log,
  onFault,
}: NetworkOptions): Promise<PodNetwork> {
  const bridge = configured.bridge ?? names.bridge;
  const routes = parseRoutes(await readRoutes(), bridge);
  const subnet = chooseSubnet({ configured: configured.subnet, remembered: meta.get(SUBNET_KEY), routes });
  meta.set(SUBNET_KEY, subnet.cidr);
  return new PodNetwork({ addon, bridge, table: names.table, subnet, log, onFault });
}
