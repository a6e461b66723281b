/** Entry point of the command line. */
import type { Command } from 'commander';
import { program } from './program.ts';

// A closed pipe (`edgepod get pods | head -1`) is the reader's way to say "enough".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// A command that only has commands below it, without one of them: as `kubectl` does, help is what was asked for.
const group = process.argv
  .slice(2)
  .reduce<Command | undefined>((command, word) => command?.commands.find((below) => below.name() === word), program);
if (group !== undefined && group.commands.length > 0) group.help();

await program.parseAsync();
