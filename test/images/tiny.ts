/**
 * Images for tests that are about something else: a few static programs and files, made in milliseconds.
 *
 *   const path = await buildTinyImage(dir, { name: 'web', programs: ['sleeper'], config: { Cmd: ['/bin/sleeper'] } });
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type ArchiveFormat,
  type Compression,
  type LayerBlob,
  type RunConfig,
  sha256,
  writeArchive,
} from './oci-writer.ts';
import { type Arch, hostArch, program } from './programs.ts';
import { type TarEntry, tar } from './tar-writer.ts';

export interface LayerContent {
  /** Names of test/fixtures/programs, installed as /bin/<name>. */
  programs?: string[];
  /** Path without leading slash → content, or a tar entry without its name. Parents need not be listed. */
  files?: Record<string, string | Buffer | Omit<TarEntry, 'name'>>;
}

export interface TinyImage extends LayerContent {
  /** Reference; default tag is `latest`. */
  name: string;
  config?: RunConfig;
  /** Further layers on top of the first. */
  layers?: LayerContent[];
  compress?: Compression;
  format?: ArchiveFormat;
  arch?: Arch;
}

const baseDirs = ['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'tmp/', 'var/'];

/** Writes an image archive into `dir` and returns its path. */
export async function buildTinyImage(dir: string, image: TinyImage): Promise<string> {
  const { name, compress = 'gzip', format = 'oci', arch = hostArch } = image;
  mkdirSync(dir, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'edgepod-tiny-'));
  try {
    const contents = [
      { programs: image.programs ?? [], files: { ...baseFiles(), ...image.files } },
      ...(image.layers ?? []),
    ];
    const layers = contents.map((content, index) =>
      writeLayer(join(work, `${index}`), tar(layerEntries(content, arch)), compress),
    );
    const output = join(dir, `${name.replaceAll(/[^a-z0-9.-]/gi, '_')}-${format}-${compress}.tar`);
    return await writeArchive(output, format, { name, arch, config: image.config ?? {}, layers });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Compresses a layer tar into `path` and describes it. */
export function writeLayer(path: string, data: Buffer, compress: Compression): LayerBlob {
  const packed = { gzip: gzipSync, zstd: zstdCompressSync, none: (plain: Buffer) => plain }[compress](data);
  writeFileSync(path, packed);
  return { path, diffId: sha256(data), compress };
}

function* layerEntries({ programs = [], files = {} }: LayerContent, arch: Arch): Generator<TarEntry> {
  const seen = new Set<string>();
  for (const name of programs) {
    yield* parents(`bin/${name}`, seen);
    yield { name: `bin/${name}`, mode: 0o755, data: readFileSync(program(name, arch)) };
  }
  for (const [name, content] of Object.entries(files)) {
    yield* parents(name, seen);
    if (seen.has(name)) continue;
    seen.add(name);
    if (typeof content === 'string' || Buffer.isBuffer(content)) yield { name, data: content };
    else yield { name, ...content };
  }
}

/** Directory entries above `name` that have not been written yet. */
function* parents(name: string, seen: Set<string>): Generator<TarEntry> {
  for (let end = name.indexOf('/'); end >= 0 && end < name.length - 1; end = name.indexOf('/', end + 1)) {
    const dir = name.slice(0, end + 1);
    if (seen.has(dir)) continue;
    seen.add(dir);
    yield { name: dir, mode: dir === 'tmp/' ? 0o1777 : 0o755 };
  }
}

function baseFiles(): Record<string, string | Omit<TarEntry, 'name'>> {
  return {
    ...Object.fromEntries(baseDirs.map((dir) => [dir, { mode: dir === 'tmp/' ? 0o1777 : 0o755 }])),
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n',
    'etc/group': 'root:x:0:\nweb:x:1000:\nextra:x:2000:web\n',
  };
}
