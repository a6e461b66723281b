/** The bridge of one instance and the links of pods on it. Only the infra process's namespace is ever configured. */
import { readdir } from 'node:fs/promises';
import { hasCode } from '../errors.ts';
import { linkName } from '../instance.ts';
import type { Addon } from '../native.ts';
import type { AttachedPod, RuntimeLog } from '../runtime.ts';
import { exists, FALLBACK_MTU, netnsOf, uplinkMtu } from './links.ts';
import type { Subnet } from './subnet.ts';
import { setSysctl } from './sysctl.ts';
import { Turns } from './turns.ts';

export interface BridgeOptions {
  addon: Addon;
  bridge: string;
  subnet: Subnet;
  log: RuntimeLog;
}

/** A pod that was given a link. `netns` is the inode of its namespace: a pid that was used again has another. */
export interface LinkedPod extends AttachedPod {
  netns: number;
}

export class Bridge {
  readonly #options: BridgeOptions;
  /** By uid: an attach and a repair at once would each take the other's link for one that was left. */
  readonly #turns = new Turns();
  #mtu = FALLBACK_MTU;

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  /** Name of a pod's link on the node. */
  link(uid: string): string {
    return linkName(this.#options.bridge, uid);
  }

  isThere(): Promise<boolean> {
    return exists(`/sys/class/net/${this.#options.bridge}`);
  }

  /** Idempotent. */
  async make(): Promise<void> {
    const { addon, bridge, subnet } = this.#options;
    this.#mtu = await uplinkMtu();
    await addon.ensureBridge(bridge, `${subnet.gateway}/${subnet.prefix}`, this.#mtu);
    // The pod network is IPv4 only: with IPv6 on, a pod could make itself the node's router by an advertisement on the
    // bridge (CVE-2020-10749). Kernels without IPv6 have nothing to switch off.
    await setSysctl(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1', { optional: true });
  }

  /** Gives a pod its link, and the node its bridge where that is gone. */
  async attach(pod: AttachedPod): Promise<void> {
    const attach = () => this.#turns.take(pod.uid, () => this.#attach(pod));
    await attach().catch(async (error: unknown) => {
      if (!hasCode(error, 'ENODEV')) throw error;
      // Removed under us, and no notice of it has come yet.
      this.#options.log.warn({ bridge: this.#options.bridge }, 'the bridge has disappeared; making it again');
      await this.make();
      await attach();
    });
  }

  /** Puts a pod's link back in the bridge, and makes it anew where it is gone while the pod `isHere`. */
  plug(pod: LinkedPod, { isHere, reflects }: { isHere: () => boolean; reflects: boolean }): Promise<void> {
    return this.#turns.take(pod.uid, async () => {
      await this.#plug(pod, isHere);
      if (reflects) await this.allowReflection(pod.uid); // also where it is there: an earlier version of the agent did not
    });
  }

  async detach(uid: string): Promise<void> {
    await this.#turns.take(uid, () => this.#options.addon.deleteLink(this.link(uid)));
  }

  /** Removes links that belong to none of `uids`: left by sandboxes nobody knows. Returns their names. */
  async reapLinks(uids: string[]): Promise<string[]> {
    const known = new Set(uids.map((uid) => this.link(uid)));
    const ports = await readdir(`/sys/class/net/${this.#options.bridge}/brif`).catch(() => []);
    const strays = ports.filter((name) => !known.has(name));
    await Promise.all(strays.map((name) => this.#options.addon.deleteLink(name)));
    return strays;
  }

  /** Removes all links and the bridge. */
  async remove(): Promise<void> {
    await this.reapLinks([]);
    await this.#options.addon.deleteLink(this.#options.bridge);
  }

  /** Lets 127.0.0.1:hostPort lead to a pod; the rules keep pods from using it the other way round. */
  async allowLoopback(): Promise<void> {
    await setSysctl(`/proc/sys/net/ipv4/conf/${this.#options.bridge}/route_localnet`, '1');
  }

  /**
   * Lets a pod reach its own published port by an address of the node. Where bridged frames go through the packet filter
   * (br_netfilter, which container engines load) they are led back to where they came from without leaving the bridge,
   * and a bridge sends nothing back by itself. Only for pods that publish: others would but hear their own broadcasts.
   */
  async allowReflection(uid: string): Promise<void> {
    await setSysctl(`/sys/class/net/${this.link(uid)}/brport/hairpin_mode`, '1').catch((error: unknown) => {
      this.#options.log.warn({ uid, error: String(error) }, 'a pod cannot reach its own published ports');
    });
  }

  async #attach({ uid, pid, ip }: AttachedPod): Promise<void> {
    const { addon, bridge, subnet } = this.#options;
    const address = `${ip}/${subnet.prefix}`;
    await addon.attachLink(this.link(uid), bridge, `/proc/${pid}/ns/net`, address, subnet.gateway, this.#mtu);
  }

  async #plug(pod: LinkedPod, isHere: () => boolean): Promise<void> {
    const { addon, bridge, log } = this.#options;
    const link = this.link(pod.uid);
    if (await exists(`/sys/class/net/${bridge}/brif/${link}`)) return;
    await addon.plugLink(link, bridge).catch(async (error: unknown) => {
      if (!hasCode(error, 'ENODEV')) throw error;
      // The link itself is gone: with its pod, or by somebody's hand.
      if ((await netnsOf(pod.pid).catch(() => undefined)) !== pod.netns || !isHere()) return;
      await this.#attach(pod);
      log.warn({ uid: pod.uid, link }, 'the link of a pod was removed; making it again');
    });
  }
}
