/**
 * `KEY=value` lines, with quotes around the value or without; `#` begins a line that says nothing. Of a key that is there
 * twice the last counts. Pure, and linear in the text: a container wrote it.
 */
export function fileVariables(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(equals, 0)).trim();
    if (key !== '' && !key.startsWith('#')) variables.set(key, unquoted(line.slice(equals + 1).trim()));
  }
  return variables;
}

function unquoted(value: string): string {
  const [quote] = value;
  const isQuoted = value.length > 1 && (quote === "'" || quote === '"') && value.endsWith(quote);
  return isQuoted ? value.slice(1, -1) : value;
}
