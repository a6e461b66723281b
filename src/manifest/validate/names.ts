/** Kubernetes' rules for names (`apimachinery/pkg/util/validation`): each answers why a text breaks it, or undefined. */

type Rule = (text: string) => string | undefined;

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const PORT_NAME = /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

/** The name of a container, a volume, a namespace, a host. */
export const dnsLabel: Rule = (text) =>
  tooLong(text, 63) ??
  matches(
    text,
    LABEL,
    "must be lower-case letters, digits and '-', starting and ending with a letter or digit (a DNS label)",
  );

/** The name of an object. */
export const dnsSubdomain: Rule = (text) =>
  tooLong(text, 253) ??
  matches(
    text,
    SUBDOMAIN,
    "must be lower-case letters, digits, '-' and '.', each part starting and ending with a letter or digit (a DNS subdomain)",
  );

/** A domain to search for hosts in: a DNS subdomain, underscores and a closing dot allowed; or the root. */
export const searchDomain: Rule = (text) =>
  text === '.' ? undefined : dnsSubdomain(text.replace(/\.$/, '').replaceAll('_', 'a'));

/** The key of a label or annotation: an optional `prefix/` and a name. */
export const qualifiedName: Rule = (text) => {
  const slash = text.indexOf('/');
  const prefix = slash < 0 ? undefined : dnsSubdomain(text.slice(0, slash));
  if (prefix !== undefined) return `the part before '/' ${prefix}`;
  const name = text.slice(slash + 1);
  return (
    tooLong(name, 63) ??
    matches(
      name,
      QUALIFIED,
      "must be letters, digits, '-', '_' and '.', starting and ending with a letter or digit, after an optional DNS subdomain and '/'",
    )
  );
};

export const labelValue: Rule = (text) =>
  text === ''
    ? undefined
    : (tooLong(text, 63) ??
      matches(
        text,
        QUALIFIED,
        "must be empty, or letters, digits, '-', '_' and '.', starting and ending with a letter or digit",
      ));

/** The name of an environment variable: printable ASCII but `=` (Kubernetes' relaxed rule, general since 1.34). */
export const variableName: Rule = (text) => matches(text, /^[ -<>-~]+$/, "must be printable ASCII without '='");

/** The name of a port (RFC 6335). */
export const portName: Rule = (text) =>
  tooLong(text, 15) ??
  matches(text, PORT_NAME, "must be lower-case letters, digits and single '-', with at least one letter");

/** The key of a ConfigMap or Secret: it must be usable as a file name. */
export const dataKey: Rule = (text) => {
  if (text === '.' || text.startsWith('..')) return "must not be '.', or start with '..'";
  return tooLong(text, 253) ?? matches(text, /^[-._a-zA-Z0-9]+$/, "must be letters, digits, '-', '_' and '.'");
};

function tooLong(text: string, most: number): string | undefined {
  return text.length > most ? `must be no more than ${most} characters` : undefined;
}

function matches(text: string, pattern: RegExp, must: string): string | undefined {
  return pattern.test(text) ? undefined : must;
}
