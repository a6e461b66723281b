/** `--local`: what this board itself knows, with no broker and no agent needed. */
import type { Command } from 'commander';
import type { LocalPods } from '../agent/local/pods.ts';
import { CONNECTION_FLAGS } from './connection.ts';
import { CommandError } from './failure.ts';
import { withSettings } from './settings.ts';

export interface LocalFlags {
  device?: string;
  local?: boolean;
  config?: string;
  dataDir?: string;
}

/** Adds the options of a command that can be asked of this board. */
export function withLocal(command: Command): Command {
  command.option(
    '--local',
    'of this board, from its own files: needs no broker and no running agent; the next two say where',
  );
  return withSettings(command, { keys: ['dataDir'], config: '--config <file>' }).hook('preAction', (_, called) => {
    const given = (keys: readonly string[]) => keys.find((key) => called.getOptionValueSource(key) === 'cli');
    const { local } = called.opts<LocalFlags>();
    const vain = given(local ? CONNECTION_FLAGS : ['config', 'dataDir']);
    if (vain === undefined) return;
    const flag = called.options.find((option) => option.attributeName() === vain)?.long;
    called.error(`error: ${flag} is ${local ? 'of no use with' : 'only for'} --local`);
  });
}

/** Opens what the board has for one command; says so when no agent keeps it up to date. */
export async function withLocalPods(flags: LocalFlags, use: (local: LocalPods) => void | Promise<void>): Promise<void> {
  const { loadConfig } = await import('../agent/config/load-config.ts');
  const { LocalPods } = await import('../agent/local/pods.ts');
  const { config, dataDir, device } = flags;
  const local = new LocalPods(await loadConfig(config, dataDir === undefined ? {} : { dataDir }));
  if (device !== undefined && device !== local.device)
    throw new CommandError(`this board is "${local.device}", not "${device}": without --local the broker is asked`);
  if (!local.agentRuns())
    process.stderr.write('Warning: no agent runs on this board; this is what the last one knew\n');
  await use(local);
}
