/** The pinned Node of an architecture: from node_modules, or, for one npm did not install here, from its registry. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.ts';

interface Lock {
  packages: Record<string, { version: string; integrity: string }>;
}

/**
 * Directory of the npm package `node-linux-<arch>`, of the version in package-lock.json.
 * @throws Error when what npm delivers is not what the lock file says
 */
export function nodePackage(arch: string): string {
  const name = `node-linux-${arch}`;
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const entry = lock.packages[`node_modules/${name}`];
  if (entry === undefined) throw new Error(`package-lock.json has no ${name}`);
  const { version, integrity } = entry;
  const cache = join(root, 'image/.cache');
  const kept = join(cache, `${name}-${version}`);
  if (existsSync(kept)) return kept;

  const work = `${kept}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', work], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const archive = join(work, `${name}-${version}.tgz`);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity)
    throw new Error(`${name}@${version} is ${found}, package-lock.json wants ${integrity}: not used`);
  execFileSync('tar', ['-xzf', archive, '-C', work, '--strip-components=1', '--no-same-owner']);
  rmSync(archive);
  renameSync(work, kept);
  return kept;
}
