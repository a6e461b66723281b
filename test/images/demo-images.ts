/**
 * The images of the demo, the tests and the examples, made of this distribution's own packages: each is the debian layer
 * and one with what it adds. OCI archives, kept in test/.cache/images under a hash of what they are made of.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { takeBaseLayer } from './base-layer.ts';
import { codename, debianTree } from './debian-tree.ts';
import { type Compression, fileDigest, type LayerBlob, writeArchive } from './oci-writer.ts';
import { type Arch, hostArch } from './programs.ts';
import { BASE, type DemoImage, finishBase, RECIPES } from './recipes.ts';
import { allPaths, changedPaths } from './tree-difference.ts';

export type { DemoImage } from './recipes.ts';

type Progress = (line: string) => void;

interface BuildOptions {
  arch?: Arch;
  progress?: Progress;
}

/** Files of this directory that decide what is in an image. */
const BUILDERS = 'recipes demo-images base-layer debian-tree tree-difference oci-writer'
  .split(' ')
  .map((name) => `${name}.ts`);
const cacheDir = new URL('../.cache/images/', import.meta.url).pathname;

/** Paths of the archives `debian` and `nginx`; builds what is not cached. */
export async function buildImages(progress: Progress = () => {}): Promise<string[]> {
  // nginx first: its build makes the debian archive as well, both trees side by side.
  const nginx = await demoImage('nginx', { progress });
  return [await demoImage('debian', { progress }), nginx];
}

/** Path of one archive; builds it if it is not cached. Throws with mmdebstrap's own words if packages cannot be had. */
export async function demoImage(name: DemoImage, options: BuildOptions = {}): Promise<string> {
  const { arch = hostArch, progress = () => {} } = options;
  const path = archivePath(name, arch);
  mkdirSync(cacheDir, { recursive: true });
  // Test files run side by side: one builds, the others wait for it and find the result.
  const unlock = existsSync(path) ? undefined : await lockCache();
  try {
    if (existsSync(path)) progress(`${name}: ${path}`);
    else await build(name, arch, progress);
    return path;
  } finally {
    unlock?.();
  }
}

async function build(name: DemoImage, arch: Arch, progress: Progress): Promise<void> {
  for (const left of readdirSync(cacheDir).filter((entry) => entry.startsWith('work-')))
    rmSync(join(cacheDir, left), { recursive: true, force: true });
  const work = mkdtempSync(join(cacheDir, 'work-'));
  try {
    const makesTree = RECIPES[name].packages.length > 0;
    const [base] = await Promise.all([
      baseLayer(arch, work, progress),
      makesTree ? makeTree(name, arch, work, progress) : undefined,
    ]);
    if (name === 'debian') return;
    const [debian, tree] = [join(work, 'debian'), join(work, name)];
    if (!makesTree) execFileSync('cp', ['-a', debian, tree]);
    RECIPES[name].finish?.(tree);
    progress(`${name}: writing the archive`);
    const added = await packLayer(work, tree, changedPaths(debian, tree), 'gzip');
    await write(name, arch, work, [base, added]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The layer of `debian` and its files in `work`/debian: of the archive if there is one, else made, with the archive. */
async function baseLayer(arch: Arch, work: string, progress: Progress): Promise<LayerBlob> {
  const tree = join(work, 'debian');
  const archive = archivePath('debian', arch);
  if (existsSync(archive)) return takeBaseLayer(archive, work, tree);
  await makeTree('debian', arch, work, progress);
  const layer = await packLayer(work, tree, allPaths(tree), 'gzip');
  await write('debian', arch, work, [layer]);
  return layer;
}

async function makeTree(name: DemoImage, arch: Arch, work: string, progress: Progress): Promise<void> {
  const { packages } = RECIPES[name];
  const extra = packages.length === 0 ? '' : ` and ${packages.join(', ')}`;
  progress(`${name}: ${BASE.length} packages of ${codename()} (${arch})${extra} and what they need`);
  const tree = join(work, name);
  await debianTree({ packages: [...BASE, ...packages], arch, target: tree, work });
  finishBase(tree);
}

async function packLayer(work: string, tree: string, names: string[], compress: Compression): Promise<LayerBlob> {
  const plain = `${tree}.tar`;
  const path = `${tree}.layer`;
  const options = ['--no-recursion', '--null', '--numeric-owner', '--xattrs', '--verbatim-files-from'];
  execFileSync('tar', ['-C', tree, ...options, '-cf', plain, '-T', '-'], { input: names.join('\0'), cwd: work });
  const packer = { gzip: 'gzip -6 -n', zstd: 'zstd -q -9', none: 'cat' }[compress];
  execFileSync('sh', ['-c', `${packer} < "$1" > "$2"`, 'sh', plain, path]);
  return { path, diffId: await fileDigest(plain), compress };
}

async function write(name: DemoImage, arch: Arch, work: string, layers: LayerBlob[]): Promise<void> {
  const temporary = join(work, `${name}.archive`);
  await writeArchive(temporary, 'oci', { name, arch, config: RECIPES[name].config, layers });
  renameSync(temporary, archivePath(name, arch));
}

/** Changes with anything that changes the image; package versions are those of the day of building. */
function archivePath(name: DemoImage, arch: Arch): string {
  const hash = createHash('sha256');
  for (const file of BUILDERS) hash.update(readFileSync(new URL(file, import.meta.url)));
  const { sources } = RECIPES[name];
  for (const path of sources ? allPaths(sources) : [])
    if (lstatSync(join(sources!, path)).isFile()) hash.update(path).update(readFileSync(join(sources!, path)));
  return join(cacheDir, `${name}-${codename()}-${arch}-${hash.digest('hex').slice(0, 12)}.tar`);
}

/** An exclusive lock on the cache, held by a process that ends with this one. Returns how to give it back. */
async function lockCache(): Promise<() => void> {
  const held = spawn('flock', [join(cacheDir, 'lock'), 'sh', '-c', 'echo locked; read -r _ || :'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve, reject) => {
    held.stdout.once('data', () => resolve());
    held.once('error', reject);
  });
  return () => held.stdin.end();
}
