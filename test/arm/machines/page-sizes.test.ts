/** The native part on kernels with larger pages. Needs no board. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const built = join(root, 'native/build/arm64');
const make = () => execFileSync('make', ['-s', '-j2', '-C', join(root, 'native'), 'ARCH=arm64'], { stdio: 'pipe' });

suite('programs for every page size', () => {
  before(() => {
    make();
  });

  // Of boards with such kernels there is pages-16k.test.ts; the emulator of programs says at least that pages are so large.
  for (const name of ['pause', 'edgepod-runner', 'edgepod-unpack', 'edgepod.node'])
    test(`${name} is laid out for pages of up to 64 KiB`, () => {
      const loads = execFileSync('readelf', ['-lW', join(built, name)], { encoding: 'utf8' }).match(/^ +LOAD .*$/gm)!;
      for (const line of loads) assert.ok(Number(line.trim().split(/\s+/).at(-1)) >= 65_536, line);
    });

  for (const page of [4096, 16_384, 65_536])
    test(`the runner starts with pages of ${page / 1024} KiB`, () => {
      const args = ['-p', String(page), join(built, 'edgepod-runner'), 'features'];
      assert.ok(JSON.parse(execFileSync('qemu-aarch64-static', args, { encoding: 'utf8' })).ociVersionMax);
    });
});
