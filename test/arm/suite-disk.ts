/**
 * What an emulated board needs to run the project's own tests, as a file system image: sources, tests, modules, the arm64
 * native build with its tools, the programs and images of the tests. It is a second disk, mounted read-only: the board's
 * kernel has no file sharing with this machine.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { demoImage } from '../images/demo-images.ts';
import { program, programNames } from '../images/programs.ts';
import { guestPackages } from './guest-packages.ts';

const root = join(import.meta.dirname, '../..');
const PROGRAMS = ['edgepod-runner', 'pause', 'edgepod-unpack', 'edgepod.node', 'tools'];
/** Directory of the packages on the disk. */
export const PACKAGES = 'packages';
/** Modules that only build and check the project. */
const LEFT_OUT =
  /node_modules\/(\.bin|\.cache|@biomejs|@esbuild|esbuild|@types|@typescript|typescript|node-linux-|node-addon-api|kubernetes-types)/;

interface More {
  /** Debian packages to install on the board. */
  packages?: string[];
  /** The native unit tests as well. */
  nativeTests?: boolean;
}

/** Makes the disk and returns its path; it is removed when this process ends. */
export async function suiteDisk(progress: (line: string) => void, more: More = {}): Promise<string> {
  const { packages = [], nativeTests = false } = more;
  progress('the suite and what it needs, as a disk');
  const goals = ['all', 'tools', ...(nativeTests ? ['board-tests'] : [])];
  execFileSync('make', ['-s', '-C', join(root, 'native'), 'ARCH=arm64', ...goals], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const name of programNames()) program(name, 'arm64');
  for (const name of ['debian', 'nginx'] as const) await demoImage(name, { arch: 'arm64' });
  const dir = mkdtempSync('/var/tmp/edgepod-suite-');
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const tree = join(dir, 'tree');
  const disk = join(dir, 'suite.img');
  layOut(tree, [...PROGRAMS, ...(nativeTests ? ['tests'] : [])]);
  if (packages.length > 0) cpSync(await guestPackages(packages, progress), join(tree, PACKAGES), { recursive: true });
  const options = '-q -t ext4 -O ^has_journal -m 0 -d'.split(' ');
  execFileSync('mke2fs', [...options, tree, disk, `${mebibytes(tree)}M`]);
  rmSync(tree, { recursive: true });
  return disk;
}

function layOut(tree: string, built: string[]): void {
  mkdirSync(join(tree, 'native/build/arm64'), { recursive: true });
  for (const name of ['package.json', 'src', 'config', 'test', 'image/usage.ts', 'node_modules'])
    cpSync(join(root, name), join(tree, name), { recursive: true, verbatimSymlinks: true, filter: wanted });
  for (const name of built)
    cpSync(join(root, 'native/build/arm64', name), join(tree, 'native/build/arm64', name), { recursive: true });
}

function wanted(path: string): boolean {
  if (LEFT_OUT.test(path)) return false;
  // Of what tests keep between runs, images and programs of the board's architecture.
  const [, kept, name] = /test\/\.cache\/([^/]+)(\/.+)?/.exec(path) ?? [];
  return kept === undefined || (/^(images|programs)$/.test(kept) && (name === undefined || name.includes('arm64')));
}

function mebibytes(tree: string): number {
  const kib = Number(execFileSync('du', ['-sk', tree], { encoding: 'utf8' }).split('\t')[0]);
  return Math.ceil((kib * 1.15) / 1024) + 16;
}
