/** debian/copyright in its machine-readable form: the fixed part, then every npm package that is in the bundle. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sources } from './paths.ts';

interface Manifest {
  name: string;
  license?: string;
  author?: string | { name: string };
}

/** @param packages directories of the npm packages; `node` the directory of Node's own, whose licence covers what it contains */
export function copyright(packages: string[], node: string): string {
  const stanzas = packages.map((dir) => stanza('usr/lib/edgepod/chunks/*', dir));
  return [
    readFileSync(join(sources, 'copyright'), 'utf8').trimEnd(),
    stanza('usr/lib/edgepod/node', node),
    ...stanzas,
    '',
  ].join('\n\n');
}

function stanza(files: string, dir: string): string {
  const { name, license = 'unknown', author } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest;
  const [file] = globSync('{LICENSE,LICENCE,license}*', { cwd: dir }).sort();
  const text =
    license === 'Apache-2.0'
      ? 'On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.'
      : file === undefined
        ? `As its package.json says: ${license}.`
        : readFileSync(join(dir, file), 'utf8');
  const by = typeof author === 'object' ? author.name : author;
  const holder = /^\W*(copyright .*\d{4}.*)$/im.exec(text)?.[1] ?? by ?? `the authors of ${name}`;
  return [
    `Files: ${files}`,
    `Comment: ${name}`,
    `Copyright: ${holder.trim()}`,
    `License: ${license.replaceAll(/\s+/g, '-')}-of-${name.replaceAll(/[^\w.-]/g, '-')}`,
    ...text
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => (line.trim() === '' ? ' .' : ` ${line}`)),
  ].join('\n');
}
