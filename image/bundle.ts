/**
 * The production bundle: `dist/` runs with nothing but itself (and apt's libarchive): JavaScript in a few chunks,
 * the native part, SQLite's binding, Node. Usage: node image/bundle.ts [--arch x64|arm64] [--out DIR]
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { arch: { type: 'string', default: process.arch }, out: { type: 'string', default: join(root, 'dist') } },
});
const { arch, out } = values;
const GNU: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'native', arch), { recursive: true });

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
await build({
  entryPoints: { edgepod: join(root, 'src/cli/main.ts') },
  outdir: out,
  outExtension: { '.js': '.mjs' },
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true, // a command loads what it needs: the agent never loads the command line's printers, nor the CLI SQLite
  minify: true,
  keepNames: true,
  legalComments: 'linked',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  define: { EDGEPOD_VERSION: JSON.stringify(version) },
  // CommonJS dependencies expect these in an ES module.
  banner: {
    js: [
      "import { createRequire as edgepodRequire } from 'node:module';",
      'const require = edgepodRequire(import.meta.url);',
      'const __dirname = import.meta.dirname;',
      'const __filename = import.meta.filename;',
    ].join(''),
  },
  // Transports the agent never uses (SOCKS), and colours nobody sees.
  alias: { socks: join(root, 'image/absent.cjs') },
  logLevel: 'warning',
});

for (const name of ['pause', 'edgepod-runner', 'edgepod-unpack', 'edgepod.node']) {
  const from = join(root, 'native/build', arch, name);
  if (!existsSync(from)) throw new Error(`${from} is missing: make -C native ARCH=${arch}`);
  const to = join(out, 'native', arch, name);
  copyFileSync(from, to);
  // Debug information is nine tenths of the runner; it stays in native/build.
  execFileSync(arch === process.arch ? 'strip' : `${GNU[arch]}-strip`, ['--strip-unneeded', to]);
}
copyFileSync(
  join(root, `node_modules/better-sqlite3/prebuilds/linux-${arch}.node`),
  join(out, 'native', arch, 'better_sqlite3.node'),
);
copyFileSync(join(root, `node_modules/node-linux-${arch}/bin/node`), join(out, 'node'));
copyFileSync(join(root, 'src/cli/edgepod'), join(out, 'edgepod'));
cpSync(join(root, 'config'), join(out, 'config'), { recursive: true });
chmodSync(join(out, 'edgepod'), 0o755);
chmodSync(join(out, 'node'), 0o755);

const kib = Math.round(statSync(join(out, 'edgepod.mjs')).size / 1024);
process.stdout.write(`bundled edgepod ${version} for ${arch} into ${out} (edgepod.mjs ${kib} KiB)\n`);
