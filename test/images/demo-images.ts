/**
 * The images `debian` and `nginx` of the demo and the tests, made of this distribution's own packages: the nginx image is
 * the debian layer and one with what nginx adds. OCI archives, kept in test/.cache/images under a hash of what they are
 * made of.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { codename, debianTree } from './debian-tree.ts';
import { type Compression, fileDigest, type LayerBlob, type RunConfig, writeArchive } from './oci-writer.ts';
import { type Arch, hostArch } from './programs.ts';
import { allPaths, changedPaths } from './tree-difference.ts';

export type DemoImage = 'debian' | 'nginx';
type Progress = (line: string) => void;

interface BuildOptions {
  arch?: Arch;
  progress?: Progress;
}

const cacheDir = new URL('../.cache/images/', import.meta.url).pathname;
const BASE =
  'base-files base-passwd bash coreutils dash debianutils diffutils findutils grep gzip hostname libc-bin mawk mount ncurses-base procps sed tar util-linux'.split(
    ' ',
  );
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const CONFIG: Record<DemoImage, RunConfig> = {
  debian: { Env: [PATH], Cmd: ['/bin/bash'] },
  // The conventions of the image everybody knows by this name: foreground, logs on the standard streams, port 80.
  nginx: {
    Env: [PATH],
    Cmd: ['nginx', '-g', 'daemon off;'],
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGQUIT',
  },
};

const SITE = 'server { listen 80 default_server; root /usr/share/nginx/html; index index.html index.htm; }\n';

/** Paths of both archives, debian first; builds what is not cached. */
export async function buildImages(progress: Progress = () => {}): Promise<string[]> {
  return [await demoImage('debian', { progress }), await demoImage('nginx', { progress })];
}

/** Path of one archive; builds both if it is not cached. Throws with mmdebstrap's own words if packages cannot be had. */
export async function demoImage(name: DemoImage, options: BuildOptions = {}): Promise<string> {
  const { arch = hostArch, progress = () => {} } = options;
  const path = archivePath(name, arch);
  mkdirSync(cacheDir, { recursive: true });
  // Test files run side by side: one builds, the others wait for it and find the result.
  const unlock = existsSync(path) ? undefined : await lockCache();
  try {
    if (existsSync(path)) progress(`${name}: ${path}`);
    else await build(arch, progress);
    return path;
  } finally {
    unlock?.();
  }
}

async function build(arch: Arch, progress: Progress): Promise<void> {
  for (const left of readdirSync(cacheDir).filter((name) => name.startsWith('work-')))
    rmSync(join(cacheDir, left), { recursive: true, force: true });
  const work = mkdtempSync(join(cacheDir, 'work-'));
  try {
    const debian = join(work, 'debian');
    const nginx = join(work, 'nginx');
    progress(
      `debian: ${BASE.length} packages of ${codename()} (${arch}) and what they need; nginx: the same and nginx`,
    );
    await Promise.all([
      debianTree({ packages: BASE, arch, target: debian, work }),
      debianTree({ packages: [...BASE, 'nginx'], arch, target: nginx, work }),
    ]);
    for (const tree of [debian, nginx]) finishBase(tree);
    finishNginx(nginx);
    progress('writing the archives');
    const base = await packLayer(work, debian, allPaths(debian), 'gzip');
    const added = await packLayer(work, nginx, changedPaths(debian, nginx), 'gzip');
    await write('debian', arch, work, [base]);
    await write('nginx', arch, work, [base, added]);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What the packages' own scripts would have done, as far as containers notice. */
function finishBase(tree: string): void {
  copyFileSync(join(tree, 'usr/share/base-passwd/passwd.master'), join(tree, 'etc/passwd'));
  copyFileSync(join(tree, 'usr/share/base-passwd/group.master'), join(tree, 'etc/group'));
  if (!existsSync(join(tree, 'usr/bin/awk'))) symlinkSync('mawk', join(tree, 'usr/bin/awk'));
  for (const dir of ['proc', 'sys', 'run', 'tmp']) mkdirSync(join(tree, dir), { recursive: true });
  for (const name of ['var/lib/apt', 'var/cache/apt']) rmSync(join(tree, name), { recursive: true, force: true });
  // A container's /dev is made by the runner.
  const dev = join(tree, 'dev');
  for (const name of readdirSync(dev)) rmSync(join(dev, name), { recursive: true, force: true });
}

function finishNginx(tree: string): void {
  rmSync(join(tree, 'etc/nginx/sites-enabled/default'), { force: true });
  writeFileSync(join(tree, 'etc/nginx/conf.d/default.conf'), SITE);
  const logs = join(tree, 'var/log/nginx');
  mkdirSync(logs, { recursive: true });
  symlinkSync('/dev/stdout', join(logs, 'access.log'));
  symlinkSync('/dev/stderr', join(logs, 'error.log'));
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
  await writeArchive(temporary, 'oci', { name, arch, config: CONFIG[name], layers });
  renameSync(temporary, archivePath(name, arch));
}

/** Changes with anything that changes the images; package versions are those of the day of building. */
function archivePath(name: DemoImage, arch: Arch): string {
  const hash = createHash('sha256');
  for (const file of ['demo-images.ts', 'debian-tree.ts', 'tree-difference.ts', 'oci-writer.ts'])
    hash.update(readFileSync(new URL(file, import.meta.url)));
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
