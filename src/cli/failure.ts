/** How a command ends when it fails: the reason on stderr, exit code 1. */

/** EX_CONFIG of sysexits.h: a setting has to be changed before trying again makes sense. */
export const EX_CONFIG = 78;

/** Something the person asked for is wrong or did not happen; printed without a stack. */
export class CommandError extends Error {}

/** Wraps a commander action: rejections become one line on stderr and exit code 1, or that of `codes` for an error's code. */
export function action<Args extends unknown[]>(
  run: (...args: Args) => Promise<void>,
  codes: Record<string, number> = {},
) {
  return async (...args: Args): Promise<void> => {
    try {
      await run(...args);
    } catch (error) {
      process.stderr.write(`error: ${describe(error)}\n`);
      process.exitCode = codes[(error as { code?: string }).code ?? ''] ?? 1;
    }
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.EDGEPOD_DEBUG) return error.stack ?? error.message;
  return error.message;
}
