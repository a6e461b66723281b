/** `edgepod agent`: the daemon of a board. */
import type { Command } from 'commander';
import { action, EX_CONFIG } from '../failure.ts';
import { withSettings } from '../settings.ts';

export function registerAgent(program: Command): void {
  const command = withSettings(program.command('agent'))
    .description('run the agent of this board, in the foreground')
    .option(
      '--drain',
      'at the end (SIGTERM, Ctrl-C) stop every pod and leave nothing behind; pods keep running otherwise',
    );
  command.action(
    action(
      async (flags: Record<string, unknown> & { config?: string; drain?: boolean }) => {
        const { loadConfig } = await import('../../agent/config/load-config.ts');
        const config = await loadConfig(flags.config, flags);
        const { runAgent } = await import('../../agent/main.ts');
        await runAgent(config, { drain: flags.drain === true });
      },
      { E_CONFIG: EX_CONFIG },
    ),
  );
}
