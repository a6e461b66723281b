/** `edgepod completion SHELL`: completion of commands and options, derived from the command tree. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/** Call last: it reads what is registered. */
export function registerCompletion(program: Command): void {
  tab(program, { completionCommandName: 'completion' });
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print the completion script of a shell: bash, zsh, fish or powershell');
}
