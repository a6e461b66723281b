/** Entry point of the command line. */
import { program } from './program.ts';

// A closed pipe (`edgepod get pods | head -1`) is the reader's way to say "enough".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

await program.parseAsync();
