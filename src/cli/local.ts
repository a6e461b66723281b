/** `--local`: what this board itself knows, with no broker and no agent needed. */
import type { Command } from 'commander';
import type { LocalPods } from '../agent/local/pods.ts';
import { CommandError } from './failure.ts';

export interface LocalFlags {
  device?: string;
  local?: boolean;
  config?: string;
  dataDir?: string;
}

/** Adds the options of a command that can be asked of this board. */
export function withLocal(command: Command): Command {
  return command
    .option('--local', 'of this board, from its own files: needs no broker and no running agent')
    .option('--config <file>', 'with --local: agent configuration (default /etc/edgepod/agent.yaml)')
    .option('--data-dir <dir>', 'with --local: of the agent');
}

/** Opens what the board has for one command; says so when no agent keeps it up to date. */
export async function withLocalPods(flags: LocalFlags, use: (local: LocalPods) => Promise<void>): Promise<void> {
  const { loadConfig } = await import('../agent/config/load-config.ts');
  const { LocalPods } = await import('../agent/local/pods.ts');
  const { config, dataDir, device } = flags;
  const local = new LocalPods(await loadConfig(config, dataDir === undefined ? {} : { dataDir }));
  try {
    if (device !== undefined && device !== local.device)
      throw new CommandError(`this board is "${local.device}", not "${device}": without --local the broker is asked`);
    if (!local.agentRuns())
      process.stderr.write('Warning: no agent runs on this board; this is what the last one knew\n');
    await use(local);
  } finally {
    local.close();
  }
}
