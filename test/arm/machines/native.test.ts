/** The native part as it is on ARM: programs for any page size, and its unit tests on the board's own kernel. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Device } from '../device.ts';
import { imageUnderTest } from '../image.ts';

const root = join(import.meta.dirname, '../../..');
const built = join(root, 'native/build/arm64');
const make = (...targets: string[]) =>
  execFileSync('make', ['-s', '-j2', '-C', join(root, 'native'), 'ARCH=arm64', ...targets], { stdio: 'pipe' });

/** Files of the source tree that the tests read, by their place relative to native/. */
const FIXTURES = ['test/fixtures/probe-thresholds.txt'];

suite('programs for every page size', () => {
  before(() => {
    make('all');
  });

  // Debian 12 has no kernel with 16K pages; the emulator of programs can at least say that pages are so large.
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

suite('native unit tests on the board', { timeout: 1_800_000 }, () => {
  let device: Device;
  let work: string;

  before(async () => {
    make('board-tests');
    work = mkdtempSync(join(tmpdir(), 'edgepod-native-'));
    const archive = join(work, 'tests.tar');
    execFileSync('tar', ['-cf', archive, '-C', root, 'native/build/arm64/tests', ...FIXTURES]);
    device = await Device.start(await imageUnderTest());
    await device.online();
    await device.sure('mkdir /run/native && tar -xC /run/native', { input: archive });
  });
  after(async () => {
    await device?.stop();
    if (work) rmSync(work, { recursive: true, force: true });
  });

  for (const source of readdirSync(join(root, 'test/native')).filter((file) => file.endsWith('.cc')))
    test(source, async () => {
      const program = `../native/build/arm64/tests/${source.replace('.cc', '')}`;
      const { code, stdout, stderr } = await device.ssh(
        `mkdir -p /run/native/native && cd /run/native/native && ${program}`,
        {
          patienceMs: 300_000,
        },
      );
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /[1-9]\d* checks, 0 failed/);
    });
});
