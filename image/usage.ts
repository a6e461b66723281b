/**
 * How commands of development (`npm run image`, `bench` …) speak: `--help` is answered with the usage, a failure with one
 * line and exit code 2 for a wrong call, 1 for all else.
 */

/** The call itself is wrong; nothing was begun. */
export class UsageError extends Error {}

export interface Command {
  /** As after `npm run`. */
  name: string;
  /** What can be told to it, lines that end with a newline. */
  usage: string;
}

/** Runs a command to its end. With EDGEPOD_DEBUG=1 errors come with their stack. */
export async function inWords({ name, usage }: Command, run: () => void | Promise<void>): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(`usage: npm run ${name} -- ${usage}`);
    return;
  }
  // An end without `exit` handlers would leave disks of gigabytes behind. Who listens as well has an end of its own.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(130);
    });
  try {
    await run();
  } catch (error) {
    const { message, stack, code } = error as NodeJS.ErrnoException;
    const wrongCall = error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS_');
    process.stderr.write(`${name}: ${process.env.EDGEPOD_DEBUG ? stack : message}\n`);
    if (wrongCall) process.stderr.write(`(see npm run ${name} -- --help)\n`);
    process.exitCode = wrongCall ? 2 : 1;
  }
}
