/** The device image, made of base system, package and the image's own files, and kept by the hash of all of them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { kernelFiles, writeDisk } from './disk.ts';
import { baseHash, baseSystem, enableEmulation } from './rootfs/base.ts';

const here = import.meta.dirname;
const root = join(here, '..');
export const CACHE = join(here, '.cache');
/** Of Debian; has the drivers of virtual machines alone. */
export const KERNEL = 'linux-image-cloud-arm64';
const EXAMPLE = 'firstboot/edgepod.example.yaml';
/** Directories of images that are being made; the process follows. */
const MAKING = 'making-';

export interface DeviceImage {
  /** The raw disk image: never boot it itself, it is shared; see newDisk. */
  disk: string;
  /** For booting without a boot loader. */
  kernel: string;
  initrd: string;
}

interface ImageOptions {
  /** Package to install; without it one is made. */
  deb?: string;
  kernel?: string;
  /** See disk.ts; default: it can be written. */
  readOnlyRoot?: boolean;
  progress: (line: string) => void;
}

/** Builds what is not cached. Throws with the tools' own words. */
export async function deviceImage({
  deb,
  kernel = KERNEL,
  readOnlyRoot = false,
  progress,
}: ImageOptions): Promise<DeviceImage> {
  const packaged = deb ?? packageFile(progress);
  const firstBoot = await firstBootProgram();
  // One of each kind is kept: they are a gigabyte each.
  const kind = `image-${kernel.replace(/^linux-image-/, '')}${readOnlyRoot ? '-read-only' : ''}-`;
  const dir = join(CACHE, `${kind}${hashOf([packaged], [baseHash(kernel), String(readOnlyRoot), firstBoot])}`);
  const image = { disk: join(dir, 'edgepod-arm64.img'), kernel: join(dir, 'vmlinuz'), initrd: join(dir, 'initrd.img') };
  if (existsSync(image.disk)) return image;
  const base = await baseSystem({ cacheDir: CACHE, kernel, progress });
  enableEmulation();
  removeUnfinished();
  const work = join(CACHE, `${MAKING}${process.pid}`);
  const tree = join(work, 'root');
  mkdirSync(work, { recursive: true });
  const removeWork = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', removeWork);
  try {
    execFileSync('cp', ['-a', base, tree]);
    progress(`installing ${packaged}`);
    install(tree, packaged);
    boardFiles(tree, firstBoot);
    progress('writing the disk');
    const files = kernelFiles(tree);
    copyFileSync(files.kernel, join(work, 'vmlinuz'));
    copyFileSync(files.initrd, join(work, 'initrd.img'));
    const bootFiles = [join(here, EXAMPLE)];
    writeDisk({ tree, bootFiles, output: join(work, 'edgepod-arm64.img'), readOnlyRoot, epoch: epoch() });
    rmSync(tree, { recursive: true });
    renameSync(work, dir);
    for (const old of readdirSync(CACHE).filter((name) => isOlder(name, kind, dir)))
      rmSync(join(CACHE, old), { recursive: true, force: true });
  } finally {
    removeWork();
    process.off('exit', removeWork);
  }
  return image;
}

const isOlder = (name: string, kind: string, dir: string): boolean =>
  name.startsWith(kind) && /^[0-9a-f]{12}$/.test(name.slice(kind.length)) && join(CACHE, name) !== dir;

/** What a process that was killed left. */
function removeUnfinished(): void {
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE).filter((entry) => entry.startsWith(MAKING)))
    if (!existsSync(`/proc/${name.slice(MAKING.length)}`)) rmSync(join(CACHE, name), { recursive: true, force: true });
}

/** Makes the arm64 package; its path is the last line the command prints. */
function packageFile(progress: (line: string) => void): string {
  progress('package: npm run package -- --arch arm64');
  const out = execFileSync('npm', ['run', '--silent', 'package', '--', '--arch', 'arm64'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const path = out.trim().split('\n').at(-1)!;
  return path.startsWith('/') ? path : join(root, path);
}

/** Of everything the image is made of: `files`, `texts`, the overlay, the sources that put it together. */
function hashOf(files: string[], texts: string[]): string {
  const hash = createHash('sha256').update(texts.join('\0'));
  const overlay = readdirSync(join(here, 'overlay'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of overlay) hash.update(file.slice(here.length));
  const sources = ['disk.ts', 'command-line.ts', 'device-image.ts', EXAMPLE].map((name) => join(here, name));
  for (const file of [...files, ...overlay, ...sources]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

function install(tree: string, deb: string): void {
  copyFileSync(deb, join(tree, 'tmp/edgepod.deb'));
  // Nothing is started in a chroot, whatever the package's scripts say.
  writeFileSync(join(tree, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  // dpkg, not apt: what the package depends on is in packages.txt, and a gap there should be seen.
  execFileSync('chroot', [tree, 'dpkg', '-i', '/tmp/edgepod.deb'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  rmSync(join(tree, 'tmp/edgepod.deb'));
  rmSync(join(tree, 'usr/sbin/policy-rc.d'));
}

/** Text of what runs at every boot. */
async function firstBootProgram(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'firstboot/main.ts')],
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
    write: false,
  });
  return outputFiles[0]!.text;
}

function boardFiles(tree: string, firstBoot: string): void {
  for (const name of ['sources.list', 'sources.list.d'])
    rmSync(join(tree, 'etc/apt', name), { recursive: true, force: true });
  cpSync(join(here, 'overlay'), tree, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(tree, 'usr/lib/edgepod-board/firstboot.cjs'), firstBoot);
  // The same file under a name that stays when the package goes.
  linkSync(join(tree, 'usr/lib/edgepod/node'), join(tree, 'usr/lib/edgepod-board/node'));
  const link = (target: string, path: string) => {
    rmSync(join(tree, path), { force: true });
    mkdirSync(join(tree, path, '..'), { recursive: true });
    symlinkSync(target, join(tree, path));
  };
  link('/run/edgepod-board/agent.yaml', 'etc/edgepod/agent.yaml');
  link('/run/systemd/resolve/stub-resolv.conf', 'etc/resolv.conf');
  const wanted = 'etc/systemd/system/multi-user.target.wants';
  for (const unit of ['edgepod-data', 'edgepod-board', 'systemd-networkd', 'systemd-resolved', 'ssh'])
    link(`/lib/systemd/system/${unit}.service`, `${wanted}/${unit}.service`);
  // One per board: made on its first boot.
  for (const name of readdirSync(join(tree, 'etc/ssh')).filter((file) => file.startsWith('ssh_host_')))
    rmSync(join(tree, 'etc/ssh', name));
  // Empty: made on the first boot. `uninitialized` would also have systemd preset every unit there is, which takes it a
  // quarter of the boot and starts what a board has no use for (machine-id(5)).
  writeFileSync(join(tree, 'etc/machine-id'), '');
  writeFileSync(join(tree, 'etc/hostname'), 'edgepod\n');
  mkdirSync(join(tree, 'boot/firmware'), { recursive: true });
  for (const name of ['var/lib/apt/lists', 'var/cache/apt', 'var/log/apt', 'var/log/dpkg.log', 'var/log/bootstrap.log'])
    rmSync(join(tree, name), { recursive: true, force: true });
  mkdirSync(join(tree, 'var/lib/apt/lists/partial'), { recursive: true });
}

/** Time of the sources, so that the same sources give the same image on any day. */
function epoch(): number {
  if (process.env.SOURCE_DATE_EPOCH !== undefined) return Number(process.env.SOURCE_DATE_EPOCH);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }).trim());
  } catch {
    return Math.floor(Date.now() / 1000);
  }
}
