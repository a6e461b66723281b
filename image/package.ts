/** `npm run package`: the Debian packages, in dist/; prints their paths. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { inWords, UsageError } from './usage.ts';

const USAGE = `[options]
  --arch amd64|arm64   repeatable; default both
  --version VERSION    default: that of package.json
`;

await inWords({ name: 'package', usage: USAGE }, () => {
  const { values } = parseArgs({
    options: { arch: { type: 'string', multiple: true, default: ['arm64', 'amd64'] }, version: { type: 'string' } },
  });
  const unknown = values.arch.find((arch) => arch !== 'arm64' && arch !== 'amd64');
  if (unknown !== undefined) throw new UsageError(`--arch ${unknown}: there are arm64 and amd64`);
  // Debian's rule, without epoch and revision.
  if (values.version !== undefined && !/^\d[\w.+~]*$/.test(values.version))
    throw new UsageError(`--version ${values.version}: a version begins with a digit and has letters, digits, ".+~"`);
  for (const arch of values.arch) {
    const version = values.version === undefined ? [] : [`DEB_VERSION=${values.version}`];
    const args = ['-s', '-j2', '-C', import.meta.dirname, 'deb', `DEB_ARCH=${arch}`, ...version];
    const { status } = spawnSync('make', args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${arch}: make failed (${status ?? 'signal'})`);
  }
});
