/** The native part on a board's own kernel: its unit tests, and the OCI command line with a shell for its containers. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Device } from '../device.ts';
import { inSuite, installPackages, prepareGuest, runInGuest } from '../guest-suite.ts';
import { imageUnderTest } from '../image.ts';
import { suiteDisk } from '../suite-disk.ts';

const tests = join(import.meta.dirname, '../..');
const UNIT_TESTS = globSync('native/*.cc', { cwd: tests }).map((file) => basename(file, '.cc'));
const OCI_TESTS = globSync('integration/runner/oci-*.test.ts', { cwd: tests }).map(
  (file) => `runner/${basename(file)}`,
);

let device: Device;

suite('native code on an arm64 board', { timeout: 3_600_000 }, () => {
  before(async () => {
    const progress = (line: string) => process.stderr.write(`${line}\n`);
    const disk = await suiteDisk(progress, { packages: ['busybox-static'], nativeTests: true });
    device = await Device.start(await imageUnderTest(), { extraDisks: [disk] });
    await device.online();
    await prepareGuest(device);
    await installPackages(device);
  });
  after(() => device?.stop());

  for (const name of UNIT_TESTS.sort())
    test(`unit: ${name}`, async () => {
      const { code } = await inSuite(device, ['cd native &&', `build/arm64/tests/${name}`]);
      assert.equal(code, 0, 'what failed is above');
    });

  for (const file of OCI_TESTS.sort())
    test(file, async () => {
      const { code } = await runInGuest(device, file);
      assert.equal(code, 0, 'what failed is above');
    });
});
