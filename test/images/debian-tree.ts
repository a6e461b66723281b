/**
 * File trees made of the distribution's own packages by mmdebstrap, from the machine's own apt sources. Packages are
 * unpacked, not configured (`--variant=extract`): quick, and as good for an architecture this machine cannot run.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Arch } from './programs.ts';

export interface TreeOptions {
  packages: string[];
  arch: Arch;
  /** Made by mmdebstrap; must not exist or be empty. */
  target: string;
  /** Directory for temporary files. */
  work: string;
}

/** Documentation and translations are most of a small system, and no container reads them. */
const leftOut = ['/usr/share/man/*', '/usr/share/locale/*', '/usr/share/doc/*', '/usr/share/info/*'];
const kept = ['/usr/share/doc/*/copyright'];
const mergedUsrHook = '/usr/share/mmdebstrap/hooks/merged-usr';

/** Unpacks `packages` and what they depend on into `target`. Throws with the end of mmdebstrap's own words. */
export async function debianTree({ packages, arch, target, work }: TreeOptions): Promise<void> {
  const args = [
    '--variant=extract',
    '--format=directory',
    `--architectures=${arch}`,
    `--include=${packages.join(',')}`,
    ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...kept.map((path) => `--dpkgopt=path-include=${path}`),
    ...(existsSync(mergedUsrHook) ? [`--hook-dir=${mergedUsrHook}`] : []),
    codename(),
    target,
    ...writeSources(work),
  ];
  await run('mmdebstrap', args);
}

/** `bookworm`, `noble`, …: what this machine runs is what its sources have. */
export function codename(): string {
  const name = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (!name) throw new Error('images are made of Debian or Ubuntu packages: /etc/os-release names no release');
  return name;
}

/**
 * Copies of the apt sources that serve this release's main archive: a private or third-party source that cannot be
 * reached, or that has its own nginx, must not matter.
 */
function writeSources(work: string): string[] {
  const lines: string[] = [];
  const stanzas: string[] = [];
  const dir = '/etc/apt/sources.list.d';
  const files = ['/etc/apt/sources.list', ...(existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [])];
  const suite = new RegExp(`(^|\\s)${codename()}(-updates|-security)?(/updates)?(\\s|$)`);
  const isMain = (text: string) => suite.test(text) && /(^|\s)main(\s|$)/.test(text);
  for (const file of files.filter((name) => existsSync(name))) {
    const text = readFileSync(file, 'utf8');
    if (file.endsWith('.sources'))
      stanzas.push(...text.split(/\n\s*\n/).filter((stanza) => isMain(uncommented(stanza))));
    else if (file.endsWith('.list'))
      lines.push(...text.split('\n').filter((line) => /^deb\s/.test(line) && isMain(line)));
  }
  const sources = [
    { path: join(work, 'edgepod.list'), text: lines.join('\n') },
    { path: join(work, 'edgepod.sources'), text: stanzas.map(uncommented).join('\n\n') },
  ].filter(({ text }) => text.trim() !== '');
  for (const { path, text } of sources) writeFileSync(path, `${text}\n`);
  return sources.map(({ path }) => path);
}

function uncommented(stanza: string): string {
  return stanza.replaceAll(/^#.*\n?/gm, '');
}

async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  const last: string[] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => {
    last.push(line);
    if (last.length > 15) last.shift();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(`${program} is not installed: apt-get install ${program}`) : error),
    );
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${last.join('\n')}`);
}
