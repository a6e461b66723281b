/** Small static programs for containers in tests, compiled once from test/fixtures/programs and cached by content. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

export type Arch = 'amd64' | 'arm64';

const sources = new URL('../fixtures/programs/', import.meta.url).pathname;
const cacheDir = new URL('../.cache/programs/', import.meta.url).pathname;

/** The architecture of this machine as images name it (Go's GOARCH). */
export const hostArch: Arch = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Names of all programs there are. */
export function programNames(): string[] {
  return readdirSync(sources)
    .filter((file) => file.endsWith('.c'))
    .map((file) => file.slice(0, -2));
}

/** Path of the static executable of program `name`, compiled for `arch` if not in the cache yet. */
export function program(name: string, arch: Arch = hostArch): string {
  const source = join(sources, `${name}.c`);
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const dir = join(cacheDir, arch);
  const output = join(dir, `${name}-${digest}`);
  if (existsSync(output)) return output;
  mkdirSync(dir, { recursive: true });
  const compiler = arch === hostArch ? 'gcc' : arch === 'arm64' ? 'aarch64-linux-gnu-gcc' : 'x86_64-linux-gnu-gcc';
  // Several test files may compile the same program at once: each writes its own file, the rename is atomic.
  const temporary = `${output}.${process.pid}`;
  execFileSync(compiler, ['-std=gnu17', '-Wall', '-static', '-Os', '-s', '-o', temporary, source]);
  renameSync(temporary, output);
  return output;
}
