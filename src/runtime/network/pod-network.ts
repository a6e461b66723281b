/**
 * The built-in network: one bridge, one veth pair per pod, masquerade, published ports. Only the infra process's
 * namespace is ever configured; containers join it. Pods reach each other over the bridge itself.
 *
 * What somebody removes under us (a hand, a network manager, `nft flush ruleset`) is put back when the kernel tells of
 * it. INVARIANT: we switch forwarding on only behind our rules, so that pods are never open to the outside.
 */
import { readdir } from 'node:fs/promises';
import { hasCode, RuntimeError, runtimeError } from '../errors.ts';
import { linkName } from '../instance.ts';
import type { Addon } from '../native.ts';
import type { AttachedPod, RuntimeLog, SandboxNetwork } from '../runtime.ts';
import { exists, FALLBACK_MTU, netnsOf, uplinkMtu } from './links.ts';
import type { PublishedPort } from './nft.ts';
import { PacketRules } from './packet-rules.ts';
import { forgottenFlows, publishedPorts } from './published.ts';
import type { Subnet } from './subnet.ts';
import { setSysctl } from './sysctl.ts';
import { Turns } from './turns.ts';

export interface PodNetworkOptions {
  addon: Addon;
  bridge: string;
  table: string;
  subnet: Subnet;
  log: RuntimeLog;
  /** `fault` is another than before. */
  onFault?: () => void;
}

/** A pod on the network. `netns` is the inode of its namespace: a pid that was used again has another. */
interface Attached extends AttachedPod {
  netns: number;
  published: PublishedPort[];
}

/** Notices come in bursts; one look after each is enough. */
const SETTLE_MS = 50;

export class PodNetwork implements SandboxNetwork {
  readonly #options: PodNetworkOptions;
  readonly #rules: PacketRules;
  readonly #pods = new Map<string, Attached>();
  /** By uid: an attach and a repair at once would each take the other's link for one that was left. */
  readonly #links = new Turns();
  #mtu = FALLBACK_MTU;
  #ready: Promise<void> | undefined;
  #fault: RuntimeError | undefined;
  #stopWatching: (() => void) | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: PodNetworkOptions) {
    const { table, bridge, subnet, log } = options;
    this.#options = options;
    this.#rules = new PacketRules({ table, bridge, subnet: subnet.cidr, log });
  }

  get subnet(): Subnet {
    return this.#options.subnet;
  }
  get bridge(): string {
    return this.#options.bridge;
  }

  /** Why pods have no way out of the node and no published ports; undefined when they have. */
  get fault(): RuntimeError | undefined {
    return this.#fault;
  }

  /**
   * Bridge, forwarding and rules; idempotent, cheap when all is there. Done once per agent start (or at the first pod).
   * Forwarding is switched on and never off again: by then another agent, a VPN or a container engine may rely on it,
   * and nobody could tell. Pods are shielded by the forward chain instead.
   */
  ensure(): Promise<void> {
    this.#ready ??= this.#ensure().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  /** Finds out, before there is a pod, whether the rules could be had; `fault` then says why not. */
  async foresee(): Promise<void> {
    if (this.#ready) return; // they are there, or being made
    const fault = await this.#rules.check().then(
      () => undefined,
      (error: unknown) => runtimeError(error, { step: 'nft' }),
    );
    if (!this.#ready) this.#setFault(fault);
  }

  /** Takes over pods that run already, after a restart of the agent: the rules are made of them anew. */
  async resume(pods: AttachedPod[]): Promise<void> {
    for (const pod of pods) {
      const netns = await netnsOf(pod.pid).catch(() => undefined);
      if (netns !== undefined) this.#pods.set(pod.uid, { ...pod, netns, published: publishedPorts(pod) });
    }
    if (this.#pods.size === 0) return;
    await this.ensure();
    await this.#plugAll(); // the bridge may have been removed while no agent was there to see it
  }

  async attach(pod: AttachedPod): Promise<void> {
    try {
      await this.ensure();
      await this.#links
        .take(pod.uid, () => this.#attachLink(pod))
        .catch(async (error: unknown) => {
          if (!hasCode(error, 'ENODEV')) throw error;
          // Removed under us, and no notice of it has come yet.
          this.#options.log.warn({ bridge: this.#options.bridge }, 'the bridge has disappeared; making it again');
          await this.#makeBridge();
          await this.#links.take(pod.uid, () => this.#attachLink(pod));
        });
      const attached = { ...pod, netns: await netnsOf(pod.pid), published: publishedPorts(pod) };
      this.#pods.set(pod.uid, attached);
      await this.#publish(attached);
    } catch (error) {
      throw runtimeError(error, { step: 'network-attach', object: pod.uid });
    }
  }

  async detach(uid: string): Promise<void> {
    const pod = this.#pods.get(uid);
    this.#pods.delete(uid);
    if (pod && pod.published.length > 0) {
      await this.#rules.withdraw(pod.published).catch((error: unknown) => {
        // They are not in the next rule set either way; the pod must not stay for it.
        this.#options.log.warn({ uid, error: String(error) }, 'published ports could not be taken back');
      });
      await this.#forget(pod);
    }
    await this.#links.take(uid, () => this.#options.addon.deleteLink(this.link(uid)));
  }

  link(uid: string): string {
    return linkName(this.#options.bridge, uid);
  }

  /** Links of the bridge that belong to none of `uids`: left by sandboxes nobody knows. Returns their names. */
  async reapLinks(uids: string[]): Promise<string[]> {
    const known = new Set(uids.map((uid) => this.link(uid)));
    const ports = await readdir(`/sys/class/net/${this.#options.bridge}/brif`).catch(() => []);
    const strays = ports.filter((name) => !known.has(name));
    await Promise.all(strays.map((name) => this.#options.addon.deleteLink(name)));
    return strays;
  }

  /** Listens no more; everything stays as it is. */
  stop(): void {
    clearTimeout(this.#looking);
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /** Removes rules, links and bridge. */
  async teardown(): Promise<void> {
    const { addon, bridge } = this.#options;
    this.stop();
    this.#ready = undefined;
    this.#pods.clear();
    await this.reapLinks([]);
    await addon.deleteLink(bridge);
    await this.#rules.remove();
  }

  async #attachLink({ uid, pid, ip }: AttachedPod): Promise<void> {
    const { addon, bridge, subnet } = this.#options;
    const address = `${ip}/${subnet.prefix}`;
    await addon.attachLink(this.link(uid), bridge, `/proc/${pid}/ns/net`, address, subnet.gateway, this.#mtu);
  }

  async #publish(pod: Attached): Promise<void> {
    if (pod.published.length === 0) return;
    if (this.#fault) {
      const detail = `hostPort needs the board's packet filter: ${this.#fault.detail}`;
      throw new RuntimeError({ step: 'host-ports', code: this.#fault.code, detail, cause: this.#fault });
    }
    await this.#allowLoopback();
    await this.#allowReflection(pod);
    await this.#rules.publish(pod.published);
    // A client that sent datagrams before the pod was there goes on being led to nobody.
    await this.#forget(pod);
  }

  async #forget(pod: Attached): Promise<void> {
    const flows = forgottenFlows(pod.published);
    await this.#options.addon.forgetFlows(flows).catch((error: unknown) => {
      this.#options.log.warn({ uid: pod.uid, error: String(error) }, 'old connections could not be forgotten');
    });
  }

  async #ensure(): Promise<void> {
    this.#watch();
    await this.#makeBridge();
    const published = [...this.#pods.values()].flatMap((pod) => pod.published);
    try {
      await this.#rules.install(published);
      if (published.length > 0) await this.#allowLoopback();
      await setSysctl('/proc/sys/net/ipv4/ip_forward', '1');
      this.#setFault(undefined);
    } catch (error) {
      // Pods of this node still reach each other and the node; the next one tries again.
      this.#ready = undefined;
      this.#setFault(runtimeError(error, { step: 'nft' }));
      this.#options.log.warn({ error: String(error) }, 'pods have no way out of the node and no published ports');
    }
  }

  #setFault(fault: RuntimeError | undefined): void {
    const changed = fault?.message !== this.#fault?.message;
    this.#fault = fault;
    if (changed) this.#options.onFault?.();
  }

  async #makeBridge(): Promise<void> {
    const { addon, bridge, subnet } = this.#options;
    this.#mtu = await uplinkMtu();
    await addon.ensureBridge(bridge, `${subnet.gateway}/${subnet.prefix}`, this.#mtu);
    // The pod network is IPv4 only: with IPv6 on, a pod could make itself the node's router by an advertisement on the
    // bridge (CVE-2020-10749). Kernels without IPv6 have nothing to switch off.
    await setSysctl(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1', { optional: true });
  }

  /** Lets 127.0.0.1:hostPort lead to a pod; the rules keep pods from using it the other way round. */
  async #allowLoopback(): Promise<void> {
    await setSysctl(`/proc/sys/net/ipv4/conf/${this.#options.bridge}/route_localnet`, '1');
  }

  /**
   * Lets a pod reach its own published port by an address of the node. Where bridged frames go through the packet filter
   * (br_netfilter, which container engines load) they are led back to where they came from without leaving the bridge,
   * and a bridge sends nothing back by itself. Only for pods that publish: others would but hear their own broadcasts.
   */
  async #allowReflection({ uid, published }: Attached): Promise<void> {
    if (published.length === 0) return;
    await setSysctl(`/sys/class/net/${this.link(uid)}/brport/hairpin_mode`, '1').catch((error: unknown) => {
      this.#options.log.warn({ uid, error: String(error) }, 'a pod cannot reach its own published ports');
    });
  }

  #watch(): void {
    const { addon, bridge, table, log } = this.#options;
    if (this.#stopWatching) return;
    try {
      this.#stopWatching = addon.watchNetwork((kind, name) => {
        const ours =
          kind === 'table'
            ? name === table || name === '*'
            : name === bridge || [...this.#pods.keys()].some((uid) => this.link(uid) === name);
        if (ours) this.#lookSoon();
      });
    } catch (error) {
      log.warn({ error: String(error) }, 'changes of the network by others will not be noticed');
    }
  }

  #lookSoon(): void {
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined;
      this.#repair().catch((error: unknown) => {
        this.#options.log.warn({ error: String(error) }, 'the pod network could not be repaired');
      });
    }, SETTLE_MS);
  }

  async #repair(): Promise<void> {
    const { log, bridge, table } = this.#options;
    if (this.#pods.size === 0) {
      this.#ready = undefined; // the next pod makes it all again
      return;
    }
    if (!(await exists(`/sys/class/net/${bridge}`))) {
      log.warn({ bridge }, 'the bridge was removed; making it again');
      await this.#makeBridge();
      if ([...this.#pods.values()].some(({ published }) => published.length > 0)) await this.#allowLoopback();
    }
    await this.#plugAll();
    if (await this.#rules.repair()) log.warn({ table }, 'the packet filter rules were removed; putting them back');
  }

  /** Every pod's link is there and in the bridge. */
  async #plugAll(): Promise<void> {
    for (const pod of [...this.#pods.values()])
      await this.#links
        .take(pod.uid, () => this.#plug(pod))
        .catch((error: unknown) => {
          const { uid } = pod;
          const detail = { uid, link: this.link(uid), error: String(error) };
          this.#options.log.warn(detail, 'a pod could not be put back on the network');
        });
  }

  async #plug(pod: Attached): Promise<void> {
    const { addon, bridge, log } = this.#options;
    const link = this.link(pod.uid);
    if (!(await exists(`/sys/class/net/${bridge}/brif/${link}`)))
      await addon.plugLink(link, bridge).catch(async (error: unknown) => {
        if (!hasCode(error, 'ENODEV')) throw error;
        // The link itself is gone: with its pod, or by somebody's hand.
        if ((await netnsOf(pod.pid).catch(() => undefined)) !== pod.netns || !this.#pods.has(pod.uid)) return;
        await this.#attachLink(pod);
        log.warn({ uid: pod.uid, link }, 'the link of a pod was removed; making it again');
      });
    await this.#allowReflection(pod); // also where it is there: an earlier version of the agent did not
  }
}
