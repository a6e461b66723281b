import type { ConnectionFlags } from '../connection.ts';
import type { LocalFlags } from '../local.ts';
import type { OutputFormat } from '../output/print.ts';

export interface GetFlags extends ConnectionFlags, LocalFlags {
  device?: string;
  namespace: string;
  allNamespaces?: boolean;
  output?: string;
  watch?: boolean;
  for?: string;
}

/** One `get`: what of, and how it is printed. */
export interface GetQuery {
  names: string[];
  flags: GetFlags;
  format: OutputFormat;
}

/** Says on standard error which of the named things were not found; the command then ends with 1. */
export function complainOfMissing(
  kind: string,
  names: readonly string[],
  found: readonly string[],
  device?: string,
): void {
  for (const name of names.filter((wanted) => !found.includes(wanted))) {
    process.stderr.write(`error: ${kind} "${name}" not found${device ? ` on ${device}` : ''}\n`);
    process.exitCode = 1;
  }
}

/** kubectl's words for an empty list. */
export function sayNothingFound({ allNamespaces, namespace }: Pick<GetFlags, 'allNamespaces' | 'namespace'>): void {
  process.stderr.write(`No resources found${allNamespaces ? '' : ` in ${namespace} namespace`}.\n`);
}
