/**
 * The production bundle: `dist/bundle/` runs with nothing but itself (and apt's libarchive): JavaScript in a few chunks,
 * the native part, SQLite's binding, Node. Usage: node image/bundle.ts [--arch x64|arm64] [--out DIR]
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Metafile } from 'esbuild';

const root = join(import.meta.dirname, '..');
const GNU: Record<string, string> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

const absent = join(root, 'image/absent.cjs');

/** Code a board would keep in memory for nothing. */
const ALIASES: Record<string, string> = {
  socks: absent, // proxies the agent has no setting for
  'worker-timers': absent, // MQTT.js in browsers
  'thread-stream': absent, // pino's transports in worker threads
  // The same streams as Node's own, for other platforms (its READABLE_STREAM=disable makes the same exchange).
  'readable-stream': 'node:stream',
};

export interface BundleOptions {
  /** Node's name of the architecture: x64 or arm64. */
  arch: string;
  /** Directory to make; what is there is removed first. */
  out: string;
  /** The Node of that architecture; default: the one of node_modules. */
  node?: string;
  /** What it says it is; default: that of package.json. */
  version?: string;
}

export interface Bundle {
  version: string;
  /** Directories of the npm packages whose code is in the bundle, sorted. */
  packages: string[];
}

export async function bundle({ arch, out, node, version = sourceVersion() }: BundleOptions): Promise<Bundle> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, 'native', arch), { recursive: true });
  const metafile = await bundleScripts(out, version);
  copyNative(arch, out);
  copyStripped(arch, node ?? join(root, `node_modules/node-linux-${arch}/bin/node`), join(out, 'node'));
  copyFileSync(join(root, 'src/cli/edgepod'), join(out, 'edgepod'));
  cpSync(join(root, 'config'), join(out, 'config'), { recursive: true });
  chmodSync(join(out, 'edgepod'), 0o755);
  return { version, packages: bundledPackages(metafile) };
}

/** Of package.json. */
export function sourceVersion(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

async function bundleScripts(out: string, version: string): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints: { edgepod: join(root, 'src/cli/main.ts') },
    absWorkingDir: root,
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
    alias: ALIASES,
    logLevel: 'warning',
    metafile: true,
  });
  return metafile;
}

function copyNative(arch: string, out: string): void {
  const to = join(out, 'native', arch);
  for (const name of ['pause', 'edgepod-runner', 'edgepod-unpack', 'edgepod.node']) {
    const from = join(root, 'native/build', arch, name);
    if (!existsSync(from)) throw new Error(`${from} is missing: make -C native ARCH=${arch}`);
    copyStripped(arch, from, join(to, name));
  }
  const sqlite = join(root, `node_modules/better-sqlite3/prebuilds/linux-${arch}.node`);
  copyStripped(arch, sqlite, join(to, 'better_sqlite3.node'));
  // Loaded, not executed.
  for (const name of ['edgepod.node', 'better_sqlite3.node']) chmodSync(join(to, name), 0o644);
}

/** Symbols are nine tenths of the runner and 18 MB of Node; those of our own code stay in native/build. */
function copyStripped(arch: string, from: string, to: string): void {
  const strip = arch === process.arch ? 'strip' : `${GNU[arch]}-strip`;
  execFileSync(strip, ['--strip-unneeded', '--remove-section=.comment', '--remove-section=.note', '-o', to, from]);
  chmodSync(to, 0o755);
}

function bundledPackages({ inputs }: Metafile): string[] {
  const names = Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort().map((name) => join(root, name));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: process.arch },
      out: { type: 'string', default: join(root, 'dist/bundle') },
    },
  });
  const { version } = await bundle(values);
  const kib = Math.round(statSync(join(values.out, 'edgepod.mjs')).size / 1024);
  process.stdout.write(`bundled edgepod ${version} for ${values.arch} into ${values.out} (edgepod.mjs ${kib} KiB)\n`);
}
