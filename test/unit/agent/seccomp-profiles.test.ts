import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { seccompProfiles } from '../../../src/agent/pods/seccomp-profiles.ts';
import { ContainerConfigError } from '../../../src/manifest/oci/types.ts';

const base = mkdtempSync(join(tmpdir(), 'edgepod-seccomp-'));
const dir = join(base, 'profiles');
const profiles = seccompProfiles(dir, 'amd64');
const localhost = (localhostProfile: string) => profiles({ type: 'Localhost', localhostProfile }, []);
const GOOD = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chmod"],"action":"SCMP_ACT_ERRNO"}]}';

before(() => {
  mkdirSync(join(dir, 'sub'), { recursive: true });
  writeFileSync(join(dir, 'sub/good.json'), GOOD);
  writeFileSync(join(base, 'outside.json'), GOOD);
  symlinkSync('sub/good.json', join(dir, 'link.json'));
  symlinkSync('../outside.json', join(dir, 'out.json'));
  writeFileSync(join(dir, 'huge.json'), '');
  truncateSync(join(dir, 'huge.json'), 1 << 30);
  execFileSync('mkfifo', [join(dir, 'fifo.json')]);
  writeFileSync(join(dir, 'text.json'), 'no json');
  writeFileSync(join(dir, 'list.json'), '[]');
  writeFileSync(join(dir, 'rule.json'), '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":1}]}');
});
after(() => rmSync(base, { recursive: true, force: true }));

test('RuntimeDefault is the built-in profile, Unconfined none, Localhost a file below the directory', () => {
  assert.equal(profiles({ type: 'RuntimeDefault' }, [])?.defaultAction, 'SCMP_ACT_ERRNO');
  assert.equal(profiles({ type: 'Unconfined' }, []), undefined);
  for (const name of ['sub/good.json', 'link.json'])
    assert.deepEqual(localhost(name)?.syscalls, [{ names: ['chmod'], action: 'SCMP_ACT_ERRNO' }]);
});

const refused: [string, RegExp][] = [
  ['none.json', /no such file on the node/],
  ['../outside.json', /is not below/],
  ['/etc/passwd', /no such file|is not below/],
  ['out.json', /is not below/],
  ['', /is not below|is not a file/],
  ['sub', /is not a file/],
  ['huge.json', /is larger than 1 MiB/],
  ['fifo.json', /is not a file/],
  ['text.json', /JSON/],
  ['list.json', /defaultAction is missing/],
  ['rule.json', /syscalls\[0\] needs names and an action/],
];
for (const [name, reason] of refused)
  test(`profile ${JSON.stringify(name)} is refused, with its path`, () =>
    assert.throws(
      () => localhost(name),
      (error: Error) =>
        error instanceof ContainerConfigError && error.message.includes(join(dir, name)) && reason.test(error.message),
    ));
