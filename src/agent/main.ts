/** The life of the agent process: start, signals, stop. */
import { loadAddon } from '../runtime/native.ts';
import { Agent } from './agent.ts';
import type { AgentConfig } from './config/config.ts';
import { createLogger } from './process/logger.ts';
import { ServiceManager } from './process/service-manager.ts';

/** Runs until SIGTERM or SIGINT. Rejects when the agent cannot start. */
export async function runAgent(config: AgentConfig, { drain }: { drain: boolean }): Promise<void> {
  // mqtt-packet keeps a few bytes for every length of packet it has written, for good. Cut from Node's pool, each of them
  // would hold 64 KiB.
  Buffer.poolSize = 0;
  const log = createLogger(config.log.level);
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  });
  process.on('uncaughtException', (error) => {
    // Pods do not depend on this process: end, and let the service manager start a healthy one.
    log.fatal({ err: error }, 'internal error; the agent ends, pods keep running');
    process.exit(70);
  });
  const agent = await Agent.open(config, log);
  await agent.start();
  const { sdNotify } = loadAddon();
  const service = new ServiceManager({
    notify: sdNotify,
    status: () => agent.status(),
    env: process.env,
    pid: process.pid,
  });
  service.ready();
  const signal = await stopped;
  log.info({ event: 'agent.stopping', signal, drain }, 'stopping');
  service.stopping();
  await agent.stop({ drain });
  process.exit(0);
}

/** Ends every pod while no agent runs, and clears away what belongs to them. @throws ConfigError when one runs */
export async function drainBoard(config: AgentConfig): Promise<void> {
  const agent = await Agent.open(config, createLogger(config.log.level));
  await agent.drain();
  process.exit(0);
}
