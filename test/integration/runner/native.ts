/** The native programs under test, built when they are not up to date. NATIVE_BUILD names another build directory. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const build = process.env.NATIVE_BUILD ?? join(root, 'native/build');
const bin = join(build, process.arch === 'arm64' ? 'arm64' : 'x64');

execFileSync('make', ['-s', '-C', join(root, 'native'), `BUILD=${build}`, 'runner', 'pause', 'tools'], {
  stdio: ['ignore', 'ignore', 'inherit'],
});

export const RUNNER = join(bin, 'edgepod-runner');
export const PAUSE = join(bin, 'pause');
export const SHIMCTL = join(bin, 'tools/shimctl');
