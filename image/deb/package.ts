/**
 * One Debian package. Called by image/Makefile, which builds what it needs and only when something changed.
 * Usage: node image/deb/package.ts --arch amd64|arm64 --out FILE [--version VERSION]
 */
import { execFileSync } from 'node:child_process';
import { globSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sourceVersion } from '../bundle.ts';
import { control } from './control.ts';
import { NODE_ARCH, sources } from './paths.ts';
import { layOut, layOutControl } from './tree.ts';

const { values } = parseArgs({
  options: { arch: { type: 'string' }, out: { type: 'string' }, version: { type: 'string' } },
});
const { arch, out } = values;
const nodeArch = NODE_ARCH[arch ?? ''];
if (arch === undefined || out === undefined || nodeArch === undefined)
  throw new Error('usage: package.ts --arch amd64|arm64 --out FILE [--version VERSION]');

const tree = `${out}.tree`;
const source = sourceVersion();
const version = values.version ?? source;
await layOut(tree, nodeArch, version);
const entry = /^edgepod \((\S+)\).*?^ -- .*? {2}(.+?)$/ms.exec(readFileSync(join(sources, 'changelog'), 'utf8'));
if (entry?.[1] !== source)
  throw new Error(`image/deb/changelog begins with ${entry?.[1]}, package.json says ${source}: add an entry`);

const binaries = globSync('usr/lib/edgepod/{node,native/*/*}', { cwd: tree })
  .filter((name) => !/(pause|edgepod-runner)$/.test(name)) // static
  .map((name) => join(tree, name));
const kib = installedKiB(tree);
layOutControl(tree, control({ version, arch, binaries, installedKiB: kib }));

// Files of one time, in one order, owned by root: the same sources make the same package.
const epoch = process.env.SOURCE_DATE_EPOCH ?? String(Date.parse(entry[2] ?? '') / 1000);
execFileSync('chmod', ['-R', 'u=rwX,go=rX', tree]);
execFileSync('find', [tree, '-exec', 'touch', '--no-dereference', `--date=@${epoch}`, '{}', '+']);
execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, `${out}.new`], {
  env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
  stdio: ['ignore', 'ignore', 'inherit'],
});
execFileSync('mv', [`${out}.new`, out]);
rmSync(tree, { recursive: true });
process.stderr.write(
  `${out}: ${(statSync(out).size / 2 ** 20).toFixed(1)} MiB, ${(kib / 1024).toFixed(0)} installed\n`,
);

/** As Debian's tools count: each file in whole KiB, everything else as one; the same on every file system. */
function installedKiB(dir: string): number {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => (entry.isFile() ? Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 1024) : 1))
    .reduce((sum, size) => sum + size, 0);
}
