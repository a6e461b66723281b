/** The Debian system of the image without edgepod: minutes under emulation, so kept in image/.cache by what it is made of. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface BaseOptions {
  cacheDir: string;
  /** Kernel package instead of the cloud kernel, which has only the drivers of virtual machines. */
  kernel: string;
  progress: (line: string) => void;
}

const here = import.meta.dirname;
const RELEASE = 'bookworm';
/** No man pages on a board; the licences stay. */
const DPKG = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
];

/** The directory of the base system, made by mmdebstrap unless it is there. */
export async function baseSystem({ cacheDir, kernel, progress }: BaseOptions): Promise<string> {
  const target = join(cacheDir, `base-${baseHash(kernel)}`);
  if (existsSync(target)) return target;
  enableEmulation();
  progress(`base system: ${packages(kernel).length} packages of ${RELEASE} and what they need (some minutes)`);
  mkdirSync(cacheDir, { recursive: true });
  for (const left of readdirSync(cacheDir).filter((name) => name.startsWith('work-')))
    rmSync(join(cacheDir, left), { recursive: true, force: true });
  const work = mkdtempSync(join(cacheDir, 'work-'));
  const tree = join(work, 'root');
  const args = [
    '--mode=root',
    '--variant=minbase',
    '--architectures=arm64',
    '--format=directory',
    `--include=${packages(kernel).join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
    ...DPKG.map((option) => `--dpkgopt=${option}`),
    // One initrd at the end; on the way there is none (INITRD, below).
    '--customize-hook=chroot "$1" sh -c \'update-initramfs -c -k "$(ls /lib/modules)"\'',
    RELEASE,
    tree,
    ...aptSources(),
  ];
  try {
    await promisify(execFile)('mmdebstrap', args, {
      // Read by the hook that makes a kernel's initrd, which takes a minute under emulation.
      env: { ...process.env, LC_ALL: 'C', INITRD: 'No' },
      maxBuffer: 64 << 20,
    });
  } catch (error) {
    // Without words of its own where it could not even be started.
    const { stderr } = error as { stderr?: string };
    const words = (stderr || String(error)).trimEnd().split('\n');
    // Why a package could not be set up is said long before the end.
    const told = words.filter((line, at) => at >= words.length - 15 || /^(E: |dpkg: | end of file)/.test(line));
    throw new Error(`mmdebstrap failed:\n${told.join('\n')}`);
  }
  renameSync(tree, target);
  rmSync(work, { recursive: true, force: true });
  return target;
}

/** Changes with everything the base system is made of; package versions are those of the day of building. */
export function baseHash(kernel: string): string {
  const hash = createHash('sha256').update(RELEASE).update(kernel);
  for (const file of ['base.ts', 'packages.txt']) hash.update(readFileSync(join(here, file)));
  return hash.digest('hex').slice(0, 12);
}

/** This machine's own mirror where it runs the same release; else mmdebstrap's default one. */
function aptSources(): string[] {
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
  const same = (file: string) => existsSync(file) && readFileSync(file, 'utf8').includes(RELEASE);
  return files.filter(same).slice(0, 1);
}

function packages(kernel: string): string[] {
  const names = readFileSync(join(here, 'packages.txt'), 'utf8').replaceAll(/^#.*$/gm, '').trim().split(/\s+/);
  return names.map((name) => (name === 'linux-image-cloud-arm64' ? kernel : name));
}

/** Package scripts are arm64 programs: the kernel has to hand them to qemu-user. Nothing to do on an arm64 machine. */
export function enableEmulation(): void {
  if (process.arch === 'arm64') return;
  if (!existsSync('/proc/sys/fs/binfmt_misc/register'))
    execFileSync('mount', ['-t', 'binfmt_misc', 'binfmt_misc', '/proc/sys/fs/binfmt_misc']);
  if (!existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64'))
    execFileSync('update-binfmts', ['--enable', 'qemu-aarch64']);
}
