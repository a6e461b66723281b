/** Objects for programs: JSON as kubectl indents it, or YAML. */

export type OutputFormat = 'table' | 'wide' | 'json' | 'yaml';

/** @throws Error for a format that does not exist */
export function outputFormat(text: string | undefined): OutputFormat {
  if (text === undefined) return 'table';
  if (text === 'json' || text === 'yaml' || text === 'wide') return text;
  throw new Error(`unknown output format "${text}": use wide, json or yaml`);
}

/** One object printed whole, several as a Kubernetes List. */
export async function printObjects(objects: unknown[], format: 'json' | 'yaml', single: boolean): Promise<void> {
  const value = single && objects.length === 1 ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects };
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(value, null, 4)}\n`);
  } else {
    const { default: yaml } = await import('yaml'); // CommonJS: the bundle has no named exports of it
    process.stdout.write(yaml.stringify(value));
  }
}
