/**
 * Where the native programs are, and how a test gets one that is not built yet. EDGEPOD_PREBUILT=1: they all are, for a
 * machine without compilers.
 */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const NATIVE = join(import.meta.dirname, '../../../native');
const PREBUILT = process.env.EDGEPOD_PREBUILT === '1';

/** Makes (or finds) a program of the native build and returns its path; `sanitized` for a test program. */
export async function nativeProgram(name: string, { sanitized = false } = {}): Promise<string> {
  // The Makefile's own names are absolute.
  const target = join(NATIVE, 'build', sanitized ? `${process.arch}-asan` : process.arch, name);
  if (!PREBUILT) await promisify(execFile)('make', ['-s', '-C', NATIVE, target], { maxBuffer: 16 << 20 });
  return target;
}

/** Makes what these goals of native/Makefile stand for, in the build directory `build`. */
export function makeNative(build: string, goals: string[]): void {
  if (PREBUILT) return;
  execFileSync('make', ['-s', '-C', NATIVE, `BUILD=${build}`, ...goals], { stdio: ['ignore', 'ignore', 'inherit'] });
}
