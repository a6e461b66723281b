/** The agent's life: opened, started, stopped, each in order. What it is made of: `parts.ts`. */
import { mkdirSync } from 'node:fs';
import type { Logger } from 'pino';
import { instanceNames } from '../runtime/instance.ts';
import { loadNative } from '../runtime/native.ts';
import { removeInstanceRoots } from '../runtime/reap.ts';
import { keepReporter } from '../store/published.ts';
import type { AgentConfig } from './config/config.ts';
import { layFoundation } from './foundation.ts';
import { buildParts, type Parts } from './parts.ts';
import { lockDataDir } from './process/lock.ts';

export class Agent {
  #config: AgentConfig;
  #log: Logger;
  #parts: Parts;

  private constructor(config: AgentConfig, log: Logger, parts: Parts) {
    this.#config = config;
    this.#log = log;
    this.#parts = parts;
  }

  /** Opens everything; nothing runs yet. @throws ConfigError, StoreError, RuntimeError with what to do */
  static async open(config: AgentConfig, log: Logger): Promise<Agent> {
    const native = loadNative();
    lockDataDir(native.addon, config.dataDir);
    mkdirSync(config.logDir, { recursive: true, mode: 0o755 });
    return new Agent(config, log, await buildParts(layFoundation(config, log, native)));
  }

  /** Takes up what runs, then connects. Resolves when pods are looked after; the broker may still be away. */
  async start(): Promise<void> {
    const { manager, broker, metrics, node, runtime, housekeeping, network, store } = this.#parts;
    try {
      keepReporter(store.meta, this.#config);
    } catch (error) {
      // Only `--local` reads it; a full disk must not keep pods from being looked after.
      this.#log.warn({ event: 'reporter.not-kept', err: error }, 'cannot keep the agent’s names for --local');
    }
    await manager.start();
    broker.session.start();
    node.start();
    metrics.start();
    housekeeping.start();
    void network.foresee();
    this.#log.info({ event: 'agent.ready', pods: runtime.sandboxes().length, device: this.#config.device }, 'ready');
  }

  /** Takes up what runs only to end it. Instead of `start`. */
  async drain(): Promise<void> {
    const attached = this.#parts.manager.start();
    await Promise.all([attached, this.stop({ drain: true })]);
  }

  /** How things are, in a line. */
  status(): string {
    const { manager, broker } = this.#parts;
    const pods = manager.list().length;
    return `${pods} ${pods === 1 ? 'pod' : 'pods'}; broker ${broker.session.connected ? 'connected' : 'away'}`;
  }

  /** Stops looking after pods. They keep running, unless `drain`: then they are ended and nothing of them is left. */
  async stop({ drain }: { drain: boolean }): Promise<void> {
    const { manager, broker, metrics, node, runtime, store, network, addon, housekeeping, stopWatching } = this.#parts;
    stopWatching();
    metrics.stop();
    await housekeeping.stop();
    node.stop();
    if (drain) await manager.drain();
    await manager.stop();
    await broker.session.stop();
    runtime.detachAll();
    network.stop();
    if (drain) {
      const { runDir, dataDir } = this.#config;
      await network.teardown();
      await removeInstanceRoots({ addon, runDir, cgroupRoot: instanceNames(dataDir).cgroupRoot, network });
    }
    store.close();
  }
}
