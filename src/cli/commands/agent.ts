/** `edgepod agent`: the daemon of a board. */
import type { Command } from 'commander';
import { SETTINGS } from '../../agent/config.ts';
import { action } from '../failure.ts';

export function registerAgent(program: Command): void {
  const command = withSettings(program.command('agent'))
    .description('run the agent of this board, in the foreground')
    .option(
      '--drain',
      'at the end (SIGTERM, Ctrl-C) stop every pod and leave nothing behind; pods keep running otherwise',
    );
  command.action(
    action(async (flags: Record<string, unknown> & { config?: string; drain?: boolean }) => {
      const { loadConfig } = await import('../../agent/load-config.ts');
      const config = await loadConfig(flags.config, flags);
      const { runAgent } = await import('../../agent/main.ts');
      await runAgent(config, { drain: flags.drain === true });
    }),
  );
}

/** Adds `--config` and one option per setting of the agent. */
export function withSettings(command: Command): Command {
  command.option('-c, --config <file>', 'configuration file (default /etc/edgepod/agent.yaml)');
  for (const { flag, value, doc, env } of SETTINGS) command.option(`--${flag} <${value}>`, `${doc} (${env})`);
  return command;
}
