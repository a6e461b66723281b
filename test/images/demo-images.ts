/**
 * The images `debian` and `nginx`, made from this distribution's own packages: the nginx image is the debian layer and
 * one with what nginx adds. OCI archives, cached in test/.cache/images by the hash of what they are made of.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LayerBlob, type RunConfig, fileDigest, writeArchive } from './oci-writer.ts';
import { hostArch } from './programs.ts';
import { changedPaths } from './tree-difference.ts';

export type DemoImage = 'debian' | 'nginx';

const cache = new URL('../.cache/images/', import.meta.url).pathname;
const DISTRIBUTION = 'debian';
/** Part of the cache key: raise it when the recipe below changes. */
const RECIPE = '1';

const CONFIG: Record<DemoImage, RunConfig> = {
  debian: { Cmd: ['/bin/bash'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
  // The conventions of the image everybody knows by this name.
  nginx: {
    Cmd: ['nginx', '-g', 'daemon off;'],
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGQUIT',
  },
};

/** Paths of both archives, debian first; builds what is not cached. */
export async function buildImages(progress: (line: string) => void): Promise<string[]> {
  const paths = (['debian', 'nginx'] as const).map(archivePath);
  if (paths.every(existsSync)) {
    progress('nginx and debian: cached');
    return paths;
  }
  const work = mkdtempSync(join(tmpdir(), 'edgepod-debian-'));
  try {
    await build(work, progress);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return paths;
}

/** Path of one archive; builds both if it is not cached. */
export async function demoImage(name: DemoImage): Promise<string> {
  await buildImages(() => {});
  return archivePath(name);
}

async function build(work: string, progress: (line: string) => void): Promise<void> {
  const debian = join(work, 'debian');
  const nginx = join(work, 'nginx');
  progress('debian: unpacking and configuring the essential packages');
  await bootstrap(debian, []);
  progress('nginx: the same, with nginx-light');
  await bootstrap(nginx, ['nginx-light']);
  prepareNginx(nginx);
  progress('writing the archives');
  const base = await layer(work, debian, allPaths(debian));
  const added = await layer(work, nginx, changedPaths(debian, nginx));
  await write('debian', [base]);
  await write('nginx', [base, added]);
}

/** A root file system of essential packages and `packages`, from the package sources this machine uses. */
async function bootstrap(target: string, packages: string[]): Promise<void> {
  const include = packages.length > 0 ? [`--include=${packages.join(',')}`] : [];
  const slim = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'].map(
    (glob) => `--dpkgopt=path-exclude=${glob}`,
  );
  const options = ['--quiet', '--mode=root', '--variant=essential', '--skip=check/empty', ...slim, ...include];
  await run('mmdebstrap', [...options, codename(), target, ...sources()]);
  for (const name of readdirSync(join(target, 'dev')))
    rmSync(join(target, 'dev', name), { recursive: true, force: true });
}

/** Serves /usr/share/nginx/html, logs to standard output and error. */
function prepareNginx(root: string): void {
  const site = 'server { listen 80 default_server; root /usr/share/nginx/html; index index.html; }\n';
  const { writeFileSync, symlinkSync } = fs;
  rmSync(join(root, 'etc/nginx/sites-enabled/default'), { force: true });
  writeFileSync(join(root, 'etc/nginx/conf.d/default.conf'), site);
  mkdirSync(join(root, 'usr/share/nginx/html'), { recursive: true });
  writeFileSync(join(root, 'usr/share/nginx/html/index.html'), '<h1>Welcome to nginx!</h1>\n');
  for (const [log, target] of [
    ['access.log', '/dev/stdout'],
    ['error.log', '/dev/stderr'],
  ] as const) {
    rmSync(join(root, 'var/log/nginx', log), { force: true });
    symlinkSync(target, join(root, 'var/log/nginx', log));
  }
}

async function layer(work: string, root: string, paths: string[]): Promise<LayerBlob> {
  const plain = join(work, `${createHash('sha256').update(root).digest('hex').slice(0, 8)}.tar`);
  const list = `${plain}.list`;
  fs.writeFileSync(list, paths.join('\0'));
  const options = ['--no-recursion', '--null', '--numeric-owner', '--xattrs', '--mtime=@0'];
  await run('tar', ['-C', root, ...options, '-cf', plain, '-T', list]);
  const diffId = await fileDigest(plain);
  await run('gzip', ['-1', '-n', plain]);
  return { path: `${plain}.gz`, diffId, compress: 'gzip' };
}

function allPaths(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
}

async function write(name: DemoImage, layers: LayerBlob[]): Promise<void> {
  const path = archivePath(name);
  mkdirSync(cache, { recursive: true });
  await writeArchive(`${path}.new`, 'oci', { name, arch: hostArch, config: CONFIG[name], layers });
  renameSync(`${path}.new`, path);
}

function archivePath(name: DemoImage): string {
  const inputs = [RECIPE, codename(), hostArch, JSON.stringify(CONFIG)];
  return join(cache, `${name}-${createHash('sha256').update(inputs.join('\n')).digest('hex').slice(0, 12)}.tar`);
}

function codename(): string {
  return /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? DISTRIBUTION;
}

/** Files that say where this machine gets its packages. */
function sources(): string[] {
  const directory = '/etc/apt/sources.list.d';
  const more = existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  return ['/etc/apt/sources.list', ...more].filter(
    (path) => /\.(list|sources)$/.test(path) && existsSync(path) && statSync(path).size > 0,
  );
}

async function run(file: string, args: string[]): Promise<void> {
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += String(chunk);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? 1));
  const code = await promise;
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${complaint.split('\n').slice(-15).join('\n')}`);
}
