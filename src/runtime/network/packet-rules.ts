/** The table of one instance in the kernel: put there, changed port by port, and put there again when it was flushed. */
import { hasCode } from '../errors.ts';
import type { RuntimeLog } from '../runtime.ts';
import {
  addition,
  checkNft,
  type Family,
  isIntact,
  listing,
  type PublishedPort,
  removal,
  ruleset,
  runNft,
  withdrawal,
} from './nft.ts';
import { Turns } from './turns.ts';

export interface PacketRulesOptions {
  table: string;
  bridge: string;
  subnet: string;
  log: RuntimeLog;
}

const FAMILIES: Family[] = ['inet', 'ip'];

export class PacketRules {
  readonly #options: PacketRulesOptions;
  #family: Family = 'inet';
  #published: PublishedPort[] = [];
  readonly #turns = new Turns();

  constructor(options: PacketRulesOptions) {
    this.#options = options;
  }

  /** The whole table, with the ports published so far. */
  install(published: PublishedPort[] = this.#published): Promise<void> {
    return this.#inTurn(() => this.#install(published));
  }

  /** Whether they could be installed; changes nothing. @throws RuntimeError with the reason */
  check(): Promise<void> {
    const { table, bridge, subnet } = this.#options;
    return checkNft({ table, bridge, subnet });
  }

  /** @throws RuntimeError; then none of them is published */
  publish(ports: PublishedPort[]): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#published;
      this.#published = [...before, ...ports];
      try {
        await this.#change(addition(this.#name, ports));
      } catch (error) {
        this.#published = before;
        throw error;
      }
    });
  }

  withdraw(ports: PublishedPort[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#published = this.#published.filter((port) => !ports.includes(port));
      await this.#change(withdrawal(this.#name, ports));
    });
  }

  /** Whether everything is as it was put there; if not it is put there again. Returns true when it had to be. */
  repair(): Promise<boolean> {
    return this.#inTurn(async () => {
      const found = await runNft(listing(this.#name)).catch((error: unknown) => {
        if (hasCode(error, 'ENFT')) return ''; // no such table
        throw error;
      });
      if (isIntact(found, this.#published)) return false;
      await this.#install(this.#published);
      return true;
    });
  }

  remove(): Promise<void> {
    return this.#inTurn(async () => {
      this.#published = [];
      // Without the tool or the kernel part there can be no rules of ours.
      const works = await this.check().then(
        () => true,
        () => false,
      );
      if (!works) return;
      for (const family of FAMILIES) {
        await runNft(removal({ family, table: this.#options.table })).catch((error: unknown) => {
          if (family === this.#family) throw error;
        });
      }
    });
  }

  get #name() {
    return { family: this.#family, table: this.#options.table };
  }

  /** A small change; if the table is not as it should be, all of it. */
  async #change(input: string): Promise<void> {
    try {
      await runNft(input);
    } catch (error) {
      if (!hasCode(error, 'ENFT')) throw error;
      await this.#install(this.#published);
    }
  }

  async #install(published: PublishedPort[]): Promise<void> {
    const { table, bridge, subnet, log } = this.#options;
    const text = (family: Family) => ruleset({ family, table, bridge, subnet, published });
    try {
      await runNft(text('inet'));
      this.#family = 'inet';
    } catch (error) {
      if (!hasCode(error, 'ENFT')) throw error;
      // The first refusal is the one worth reading when the older family does not work either.
      await runNft(text('ip')).catch(() => {
        throw error;
      });
      log.warn({ table, error: String(error) }, 'nftables refused family inet; using ip (old kernel)');
      this.#family = 'ip';
    }
    this.#published = published;
  }

  /** One transaction at a time: each is made from what the one before it left. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.take(this.#options.table, work);
  }
}
