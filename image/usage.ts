/** How the image's commands end when they fail: in words, with exit code 2 for a wrong call and 1 for all else. */

/** The call itself is wrong; nothing was begun. */
export class UsageError extends Error {}

/** Runs a command to its end. With EDGEPOD_DEBUG=1 errors come with their stack. */
export async function inWords(command: string, run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { message, stack, code } = error as NodeJS.ErrnoException;
    const wrongCall = error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS_');
    process.stderr.write(`${command}: ${process.env.EDGEPOD_DEBUG ? stack : message}\n`);
    process.exitCode = wrongCall ? 2 : 1;
  }
}
