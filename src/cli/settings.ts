/** The agent's settings as options of a command. */
import type { Command } from 'commander';
import { SETTINGS } from '../agent/config/config.ts';

/** Settings that commands about this board's own files need. */
export const DEVICE_SETTINGS: readonly string[] = ['dataDir', 'runDir'];

/** Adds `--config` (`config`: its flags) and an option for every setting, or for those named by `keys`. */
export function withSettings(
  command: Command,
  { keys, config = '-c, --config <file>' }: { keys?: readonly string[]; config?: string } = {},
): Command {
  command.option(config, 'agent configuration (default /etc/edgepod/agent.yaml)');
  for (const { key, flag, value, doc, env } of SETTINGS)
    if (keys === undefined || keys.includes(key)) command.option(`--${flag} <${value}>`, `${doc} (${env})`);
  return command;
}
