/**
 * The built-in network: one bridge, one veth pair per pod, masquerade, published ports. Pods reach each other over the
 * bridge itself.
 *
 * What somebody removes under us (a hand, a network manager, `nft flush ruleset`) is put back when the kernel tells of
 * it. INVARIANT: we switch forwarding on only behind our rules, so that pods are never open to the outside.
 */
import { RuntimeError, runtimeError } from '../errors.ts';
import type { Addon } from '../native.ts';
import type { AttachedPod, RuntimeLog, SandboxNetwork } from '../runtime.ts';
import { Bridge, type LinkedPod } from './bridge.ts';
import { netnsOf } from './links.ts';
import type { PublishedPort } from './nft.ts';
import { PacketRules } from './packet-rules.ts';
import { forgottenFlows, publishedPorts } from './published.ts';
import type { Subnet } from './subnet.ts';
import { setSysctl } from './sysctl.ts';

export interface PodNetworkOptions {
  addon: Addon;
  bridge: string;
  table: string;
  subnet: Subnet;
  log: RuntimeLog;
  /** `fault` is another than before. */
  onFault?: () => void;
}

interface Attached extends LinkedPod {
  published: PublishedPort[];
}

/** Notices come in bursts; one look after each is enough. */
const SETTLE_MS = 50;

export class PodNetwork implements SandboxNetwork {
  readonly #options: PodNetworkOptions;
  readonly #bridge: Bridge;
  readonly #rules: PacketRules;
  readonly #pods = new Map<string, Attached>();
  #ready: Promise<void> | undefined;
  #fault: RuntimeError | undefined;
  #stopWatching: (() => void) | undefined;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: PodNetworkOptions) {
    const { table, bridge, subnet, log } = options;
    this.#options = options;
    this.#bridge = new Bridge(options);
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
      await this.#bridge.attach(pod);
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
    await this.#bridge.detach(uid);
  }

  link(uid: string): string {
    return this.#bridge.link(uid);
  }

  /** Removes links that belong to none of `uids`: left by sandboxes nobody knows. Returns their names. */
  reapLinks(uids: string[]): Promise<string[]> {
    return this.#bridge.reapLinks(uids);
  }

  /** Listens no more; everything stays as it is. */
  stop(): void {
    clearTimeout(this.#looking);
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /** Removes rules, links and bridge. */
  async teardown(): Promise<void> {
    this.stop();
    this.#ready = undefined;
    this.#pods.clear();
    await this.#bridge.remove();
    await this.#rules.remove();
  }

  async #publish(pod: Attached): Promise<void> {
    if (pod.published.length === 0) return;
    if (this.#fault) {
      const detail = `hostPort needs the board's packet filter: ${this.#fault.detail}`;
      throw new RuntimeError({ step: 'host-ports', code: this.#fault.code, detail, cause: this.#fault });
    }
    await this.#bridge.allowLoopback();
    await this.#bridge.allowReflection(pod.uid);
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
    await this.#bridge.make();
    const published = [...this.#pods.values()].flatMap((pod) => pod.published);
    try {
      await this.#rules.install(published);
      if (published.length > 0) await this.#bridge.allowLoopback();
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
    if (!(await this.#bridge.isThere())) {
      log.warn({ bridge }, 'the bridge was removed; making it again');
      await this.#bridge.make();
      if ([...this.#pods.values()].some(({ published }) => published.length > 0)) await this.#bridge.allowLoopback();
    }
    await this.#plugAll();
    if (await this.#rules.repair()) log.warn({ table }, 'the packet filter rules were removed; putting them back');
  }

  /** Every pod's link is there and in the bridge. */
  async #plugAll(): Promise<void> {
    for (const pod of [...this.#pods.values()]) {
      const { uid, published } = pod;
      const isHere = () => this.#pods.has(uid);
      await this.#bridge.plug(pod, { isHere, reflects: published.length > 0 }).catch((error: unknown) => {
        const detail = { uid, link: this.link(uid), error: String(error) };
        this.#options.log.warn(detail, 'a pod could not be put back on the network');
      });
    }
  }
}
