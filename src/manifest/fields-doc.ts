/**
 * Renders FIELDS.md from the field tables. `node src/manifest/fields-doc.ts --write` writes it; a unit test fails when
 * the file is not what is rendered.
 */
import { writeFileSync } from 'node:fs';
import { FIELDS, type Field, type FieldTable, PLACES, type TypeName } from './fields.ts';
import { LIMITS } from './limits.ts';

const INTRO = `# Pod fields

Which fields of a Kubernetes Pod (v1, 1.36) edgepod honours. Written by \`node src/manifest/fields-doc.ts --write\` from
\`fields.ts\`, which the validators use: do not edit.

- **yes**: honoured.
- **ignored**: accepted without effect; a warning says so, unless the field is an API server's bookkeeping.
- **refused**: a manifest that sets it is not accepted; the error has the path and the reason.

A field that Kubernetes does not have is refused too. \`null\`, \`{}\`, \`[]\` and \`""\` are as good as absent (except where
marked _even when empty_), and so are the values listed as "no effect": \`kubectl create --dry-run=client\` prints many of
them. Numbers must be numbers and strings be strings; quantities may be either.`;

/** The whole page. */
export function renderFields(): string {
  const types = (Object.entries(FIELDS) as [TypeName, FieldTable][]).map(renderType);
  return `${[INTRO, ...types, renderLimits()].join('\n\n')}\n`;
}

function renderType([type, table]: [TypeName, FieldTable]): string {
  const place = PLACES[type] === '' ? 'the object itself' : `\`${PLACES[type]}\``;
  const rows = Object.entries(table).map(([name, field]) => [`\`${name}\``, support(field), notes(field)]);
  return `## ${type}\n\nAt ${place}.\n\n${renderTable([['field', 'support', 'notes'], ...rows])}`;
}

/** Padded, as the formatter of this repository wants Markdown tables. The first row is the heading. */
function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  const [heading, ...body] = rows.map(line);
  return [heading, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

function support({ support, quiet }: Field): string {
  return quiet ? 'ignored (no warning)' : support;
}

function notes({ note, neutral, strict }: Field): string {
  const values = neutral.filter((value) => value !== '').map((value) => `\`${JSON.stringify(value)}\``);
  return [note, strict ? '_even when empty_' : '', values.length > 0 ? `no effect: ${values.join(', ')}` : '']
    .filter((part) => part !== '')
    .join('; ');
}

const LIMIT_NAMES: Readonly<Record<keyof typeof LIMITS, string>> = {
  manifestBytes: 'bytes of a manifest as received (default)',
  hardManifestBytes: 'bytes of a manifest, however configured',
  nesting: 'levels of objects and lists inside each other',
  aliases: 'YAML aliases, each use counted',
  yamlTokens: 'words, marks, line breaks and runs of spaces of a YAML text (about 3,000 lines)',
  reported: 'errors, and warnings, reported for one manifest',
  containers: 'containers of a pod',
  volumes: 'volumes of a pod',
  volumeMounts: 'volumeMounts of a container',
  env: 'environment variables of a container',
  ports: 'ports of a container',
  items: 'items of any other list',
  words: 'words of `command`, and of `args`',
  strings: 'bytes of env, command and args of a container, `$(VAR)` expanded',
  image: 'characters of an image reference',
  path: 'bytes of a path',
  data: 'bytes of the values of a ConfigMap or Secret',
  annotations: 'bytes of the annotations of an object',
  identity: 'characters of namespace and name together',
  count: 'seconds, tries, …',
  id: 'largest user or group id',
  cpu: 'cores of a request or limit',
  memory: 'bytes of a request or limit',
};

function renderLimits(): string {
  const rows = (Object.entries(LIMIT_NAMES) as [keyof typeof LIMITS, string][]).map(([key, name]) => [
    name,
    LIMITS[key].toLocaleString('en'),
  ]);
  return `## Limits\n\n${renderTable([['at most', ''], ...rows])}`;
}

if (import.meta.main && process.argv.includes('--write'))
  writeFileSync(new URL('FIELDS.md', import.meta.url), renderFields());
