/**
 * The built-in network: one bridge, one veth pair per pod, masquerade. Only the infra process's namespace is ever
 * configured; containers join it. Pods reach each other over the bridge itself, so neither proxy ARP nor hairpin mode is
 * needed (hairpin would break IPv6 duplicate address detection).
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hasCode, RuntimeError, runtimeError } from '../errors.ts';
import { linkName } from '../instance.ts';
import type { Addon } from '../native.ts';
import type { RuntimeLog, SandboxNetwork } from '../runtime.ts';
import { type Family, type HostPort, removal, ruleset, runNft } from './nft.ts';
import { defaultInterface, readRoutes, type Subnet } from './subnet.ts';

export interface PodNetworkOptions {
  addon: Addon;
  bridge: string;
  table: string;
  subnet: Subnet;
  log: RuntimeLog;
}

const FALLBACK_MTU = 1500;
const FAMILIES: Family[] = ['inet', 'ip'];

export class PodNetwork implements SandboxNetwork {
  readonly #options: PodNetworkOptions;
  #family: Family = 'inet';
  #mtu = FALLBACK_MTU;
  #ready: Promise<void> | undefined;

  constructor(options: PodNetworkOptions) {
    this.#options = options;
  }

  get subnet(): Subnet {
    return this.#options.subnet;
  }
  get bridge(): string {
    return this.#options.bridge;
  }

  /**
   * Bridge, forwarding and rules; idempotent, cheap when all is there. Done once per agent start (or at the first pod).
   * Forwarding is switched on and never off again: by then another agent, a VPN or a container engine may rely on it,
   * and nobody could tell. Pods are shielded by the forward chain instead.
   * @param hostPorts ports of pods that run already: the table is replaced as a whole
   */
  ensure(hostPorts: HostPort[] = []): Promise<void> {
    this.#ready ??= this.#ensure(hostPorts).catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async attach(pod: { uid: string; pid: number; ip: string }): Promise<void> {
    try {
      await this.ensure();
      await this.#attach(pod).catch(async (error: unknown) => {
        if (!hasCode(error, 'ENODEV')) throw error;
        // Somebody removed the bridge under us (a network manager, a hand): pods to come need not suffer for it.
        this.#options.log.warn({ bridge: this.#options.bridge }, 'the bridge has disappeared; making it again');
        await this.#makeBridge();
        await this.#attach(pod);
      });
    } catch (error) {
      throw runtimeError(error, { step: 'network-attach', object: pod.uid });
    }
  }

  async #attach({ uid, pid, ip }: { uid: string; pid: number; ip: string }): Promise<void> {
    const { addon, bridge, subnet } = this.#options;
    const address = `${ip}/${subnet.prefix}`;
    await addon.attachLink(this.link(uid), bridge, `/proc/${pid}/ns/net`, address, subnet.gateway, this.#mtu);
  }

  async detach(uid: string): Promise<void> {
    await this.#options.addon.deleteLink(this.link(uid));
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

  /** Removes rules, links and bridge. */
  async teardown(): Promise<void> {
    const { addon, bridge, table } = this.#options;
    this.#ready = undefined;
    await this.reapLinks([]);
    await addon.deleteLink(bridge);
    for (const family of FAMILIES) {
      await runNft(removal(family, table)).catch((error: unknown) => {
        // Without the tool or the kernel part there can be no rules of ours.
        if (!hasCode(error, 'ENOENT') && family === this.#family) throw error;
      });
    }
  }

  async #ensure(hostPorts: HostPort[]): Promise<void> {
    await this.#makeBridge();
    await this.#rules(hostPorts);
  }

  async #makeBridge(): Promise<void> {
    const { addon, bridge, subnet } = this.#options;
    this.#mtu = await uplinkMtu();
    await addon.ensureBridge(bridge, `${subnet.gateway}/${subnet.prefix}`, this.#mtu);
    await this.#sysctls();
  }

  async #sysctls(): Promise<void> {
    const { bridge } = this.#options;
    await setSysctl('/proc/sys/net/ipv4/ip_forward', '1');
    // The pod network is IPv4 only: with IPv6 on, a pod could make itself the node's router by an advertisement on the
    // bridge (CVE-2020-10749). Kernels without IPv6 have nothing to switch off.
    await setSysctl(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1', { optional: true });
  }

  async #rules(hostPorts: HostPort[]): Promise<void> {
    const { table, bridge, subnet, log } = this.#options;
    try {
      await runNft(ruleset({ family: 'inet', table, bridge, subnet: subnet.cidr, hostPorts }));
      this.#family = 'inet';
    } catch (error) {
      if (!hasCode(error, 'ENFT')) throw error;
      // The first refusal is the one worth reading when the older family does not work either.
      await runNft(ruleset({ family: 'ip', table, bridge, subnet: subnet.cidr, hostPorts })).catch(() => {
        throw error;
      });
      log.warn({ table, error: String(error) }, 'nftables refused family inet; using ip (old kernel)');
      this.#family = 'ip';
    }
  }
}

/** Pods must not send larger packets than the node's way out takes; without a way out, Ethernet's size. */
async function uplinkMtu(): Promise<number> {
  const uplink = defaultInterface(await readRoutes().catch(() => ''));
  const text = uplink ? await readFile(`/sys/class/net/${uplink}/mtu`, 'utf8').catch(() => '') : '';
  return Number(text) || FALLBACK_MTU;
}

/** Writes only what is not so already: in a container with read-only /proc/sys the value is often right. */
async function setSysctl(path: string, value: string, { optional = false } = {}): Promise<void> {
  try {
    if ((await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
  } catch (error) {
    if (optional && hasCode(error, 'ENOENT')) return;
    throw new RuntimeError({ ...runtimeError(error, { step: 'sysctl' }), detail: `${path} cannot be set to ${value}` });
  }
}
