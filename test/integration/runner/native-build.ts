/** Where the native programs are, and how a test gets one that is not built yet. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const NATIVE = join(import.meta.dirname, '../../../native');

/** Makes (or finds) a program of the native build and returns its path; `sanitized` for a test program. */
export async function nativeProgram(name: string, { sanitized = false } = {}): Promise<string> {
  // The Makefile's own names are absolute.
  const target = join(NATIVE, 'build', sanitized ? `${process.arch}-asan` : process.arch, name);
  await promisify(execFile)('make', ['-s', '-C', NATIVE, target], { maxBuffer: 16 << 20 });
  return target;
}
