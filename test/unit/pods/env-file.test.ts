import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readEnvFile } from '../../../src/pods/volumes/env-file.ts';

describe('a file of variables in a volume', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'edgepod-env-file-'));
    mkdirSync(join(root, 'dir'));
    writeFileSync(join(root, 'dir/env'), 'A=1\n');
    writeFileSync(join(root, 'large'), Buffer.alloc(256 * 1024 + 1, 'x'));
    symlinkSync('/etc/passwd', join(root, 'link'));
    symlinkSync('/etc', join(root, 'out'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
  });
  after(() => rmSync(root, { recursive: true }));

  test('is read where it is', () => {
    assert.equal(readEnvFile(root, 'dir/env'), 'A=1\n');
    assert.equal(readEnvFile(root, './dir//env'), 'A=1\n');
  });

  test('or is not there', () => {
    for (const path of ['none', 'none/env', 'dir/none']) assert.equal(readEnvFile(root, path), undefined);
  });

  for (const [path, why] of [
    ['link', /links are not followed/],
    ['out/passwd', /links are not followed/],
    ['dir/env/x', /in no directory/],
    ['dir', /is no file/],
    ['pipe', /is no file/],
    ['large', /has 262145 bytes, at most 262144 are read/],
  ] as const)
    test(`${path} is refused`, () =>
      assert.throws(() => readEnvFile(root, path), { code: 'CreateContainerConfigError', message: why }));
});
