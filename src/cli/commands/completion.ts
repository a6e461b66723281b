/** `edgepod completion SHELL`: completion of commands, options, kinds and formats, derived from the command tree. */
import type { Command as Completed } from '@bomb.sh/tab';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

/** Call last: it reads what is registered. */
export function registerCompletion(program: Command): void {
  const { commands } = tab(program, { completionCommandName: 'completion' });
  for (const command of [...program.commands, ...program.commands.flatMap((above) => above.commands)])
    completeValues(command, commands.get(pathOf(command, program)));
  program.commands
    .find((command) => command.name() === 'completion')
    ?.description('print the completion script of a shell: bash, zsh, fish or powershell');
}

function pathOf(command: Command, program: Command): string {
  const { parent } = command;
  return parent === null || parent === program ? command.name() : `${pathOf(parent, program)} ${command.name()}`;
}

/** What a kind and an output format can be is what their descriptions say. */
function completeValues(command: Command, completed: Completed | undefined): void {
  const kind = command.registeredArguments.find((argument) => argument.name() === 'kind');
  if (kind) completed?.argument('kind', offering(kind.description));
  const output = command.options.find(({ long }) => long === '--output');
  if (output) completed?.option('output', output.description, offering(output.description), 'o');
}

const offering = (description: string) => (complete: (value: string, description: string) => void) => {
  for (const value of description.split(/, | or /)) complete(value, '');
};
