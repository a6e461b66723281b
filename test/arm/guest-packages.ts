/**
 * Debian packages for an emulated board that its image does not have: programs to compare with, a shell for containers.
 * They are never part of the image; a test's board installs them on its own disk.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../image/device-image.ts';
import { baseHash, baseSystem } from '../../image/rootfs/base.ts';

const KERNEL = 'linux-image-cloud-arm64';

/** A directory with the packages and with what they need beyond the image's base system; kept beside it. */
export async function guestPackages(names: string[], progress: (line: string) => void): Promise<string> {
  const base = await baseSystem({ cacheDir: CACHE, kernel: KERNEL, progress });
  const hash = createHash('sha256').update(baseHash(KERNEL)).update(names.join(' ')).digest('hex').slice(0, 12);
  const target = join(CACHE, `packages-${hash}`);
  if (existsSync(target)) return target;
  progress(`packages for the board: ${names.join(' ')}`);
  const work = mkdtempSync(join(CACHE, 'work-'));
  try {
    const apt = aptOf(base, work);
    apt('update', '-qq');
    apt('install', '-qq', '-y', '--download-only', '--no-install-recommends', ...names);
    const archives = join(work, 'archives');
    for (const other of readdirSync(archives).filter((name) => !name.endsWith('.deb')))
      rmSync(join(archives, other), { recursive: true });
    renameSync(archives, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/** This machine's apt, as if it were the board's: the base system's sources and installed packages, lists of its own. */
function aptOf(base: string, work: string): (...args: string[]) => void {
  mkdirSync(join(work, 'state/lists/partial'), { recursive: true });
  mkdirSync(join(work, 'archives/partial'), { recursive: true });
  const options = {
    'APT::Architecture': 'arm64',
    'APT::Architectures': 'arm64',
    'APT::Sandbox::User': 'root',
    'Dir::Etc': join(base, 'etc/apt'),
    'Dir::State': join(work, 'state'),
    'Dir::State::status': join(base, 'var/lib/dpkg/status'),
    'Dir::Cache': work,
    'Dir::Cache::archives': join(work, 'archives'),
    'Debug::NoLocking': '1',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return (...args) => {
    execFileSync('apt-get', [...flags, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  };
}
