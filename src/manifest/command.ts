/** Which program a container runs: the manifest's command and args over the image's entrypoint and cmd. */
import { expandReferences } from './env.ts';

/**
 * `command` replaces the image's entrypoint and cmd together; `args` alone replaces only its cmd. `$(VAR)` is expanded
 * in the manifest's words, never in the image's. Empty when neither names a program.
 */
export function containerCommand({
  command = [],
  args = [],
  image,
  variables,
}: {
  command?: readonly string[] | undefined;
  args?: readonly string[] | undefined;
  image: { entrypoint: readonly string[]; cmd: readonly string[] };
  variables: ReadonlyMap<string, string>;
}): string[] {
  const expand = (words: readonly string[]) => words.map((word) => expandReferences(word, variables));
  if (command.length > 0) return [...expand(command), ...expand(args)];
  return [...image.entrypoint, ...(args.length > 0 ? expand(args) : image.cmd)];
}
