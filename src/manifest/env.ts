/** Environment variables and `$(VAR)` references (`k8s.io/kubernetes/third_party/forked/golang/expansion`). */

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The kernel's longest single argument or environment string, bytes, its closing NUL included (MAX_ARG_STRLEN). */
export const MAX_STRING = 131_072;

/** References that multiply a text beyond what the kernel would take: `A=$(B)$(B)`, `B=$(C)$(C)`, … */
export class ExpansionError extends Error {
  readonly code = 'E_EXPANSION';
}

/**
 * Replaces `$(NAME)` by its value; `$$` is a literal `$` (so `$$(NAME)` stays `$(NAME)`), a name that is not known and
 * a `$` before anything else stay as they are. Throws ExpansionError when the result is longer than MAX_STRING.
 */
export function expandReferences(text: string, variables: ReadonlyMap<string, string>): string {
  let length = text.length;
  const replace = (whole: string, name?: string) => {
    const value = name === undefined ? '$' : (variables.get(name) ?? whole);
    length += value.length - whole.length;
    if (length > MAX_STRING) throw new ExpansionError('expands to more than 128 KiB');
    return value;
  };
  // Only what precedes the last `)` can hold a reference: searching the rest for one takes quadratic time.
  const end = text.lastIndexOf(')') + 1;
  return text.slice(0, end).replace(/\$\$|\$\(([^)]*)\)/g, replace) + text.slice(end).replace(/\$\$/g, () => '$');
}

/**
 * The environment of a container's process as `KEY=VALUE`: PATH and HOSTNAME, overridden by the image's variables,
 * overridden by the container's. Image entries that are not `KEY=VALUE` are dropped: a bare name would mean "take it
 * from the runtime's own environment" (CVE-2026-57231).
 */
export function processEnvironment({
  image,
  container,
  hostname,
}: {
  image: readonly string[];
  container: ReadonlyMap<string, string>;
  hostname: string;
}): string[] {
  const variables = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', hostname],
  ]);
  for (const entry of image) {
    const equals = entry.indexOf('=');
    if (equals > 0 && !entry.includes('\0')) variables.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  for (const [name, value] of container) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}
