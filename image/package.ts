/**
 * `npm run package`: the Debian packages, in dist/; prints their paths.
 * Usage: node image/package.ts [--arch amd64|arm64]... [--version VERSION]
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { arch: { type: 'string', multiple: true, default: ['arm64', 'amd64'] }, version: { type: 'string' } },
});
for (const arch of values.arch) {
  if (arch !== 'arm64' && arch !== 'amd64') {
    process.stderr.write(`--arch ${arch}: there are arm64 and amd64\n`);
    process.exit(2);
  }
  const version = values.version === undefined ? [] : [`DEB_VERSION=${values.version}`];
  const args = ['-s', '-j2', '-C', import.meta.dirname, 'deb', `DEB_ARCH=${arch}`, ...version];
  const { status } = spawnSync('make', args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
