/** The native programs under test, built when they are not up to date. NATIVE_BUILD names another build directory. */
import { join } from 'node:path';
import { makeNative } from './native-build.ts';

const root = join(import.meta.dirname, '../../..');
const build = process.env.NATIVE_BUILD ?? join(root, 'native/build');
const bin = join(build, process.arch === 'arm64' ? 'arm64' : 'x64');

makeNative(build, ['runner', 'pause', 'tools']);

export const RUNNER = join(bin, 'edgepod-runner');
export const PAUSE = join(bin, 'pause');
export const SHIMCTL = join(bin, 'tools/shimctl');
