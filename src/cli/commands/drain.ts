/** `edgepod drain`: ends the pods of a board whose agent does not run. */
import type { Command } from 'commander';
import { action } from '../failure.ts';
import { withSettings } from '../settings.ts';

export function registerDrain(program: Command): void {
  withSettings(program.command('drain'))
    .description('stop every pod of this board, whose agent must be stopped; they come back when it starts again')
    .action(
      action(async (flags: Record<string, unknown> & { config?: string }) => {
        const { loadConfig } = await import('../../agent/config/load-config.ts');
        const config = await loadConfig(flags.config, flags);
        const { drainBoard } = await import('../../agent/main.ts');
        await drainBoard(config);
      }),
    );
}
