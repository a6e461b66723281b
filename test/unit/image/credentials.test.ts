import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkCredentials } from '../../../image/firstboot/credentials.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'edgepod-credentials-'));
  for (const name of ['one', 'two'])
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name} -keyout ${name}.key -out ${name}.pem`.split(
        ' ',
      ),
      { cwd: dir, stdio: 'ignore' },
    );
  writeFileSync(join(dir, 'password'), 'secret\n');
  writeFileSync(join(dir, 'torn.pem'), readFileSync(join(dir, 'one.pem')).subarray(0, 200));
});
after(() => rmSync(dir, { recursive: true, force: true }));

const check = (files: Record<string, string>) => {
  const agent = new Map(Object.entries(files).map(([key, name]) => [`broker.${key}`, name]));
  const problems = checkCredentials(agent, (name) => readFileSync(join(dir, name), 'utf8'));
  return { left: [...agent.keys()].map((key) => key.slice(7)), problems };
};

test('what is in order stays', () => {
  const files = { caFile: 'two.pem', certFile: 'one.pem', keyFile: 'one.key', passwordFile: 'password' };
  assert.deepEqual(check(files), { left: Object.keys(files), problems: [] });
});

const bad: [string, Record<string, string>, left: string[], reasons: RegExp[]][] = [
  ['a file that is not there', { caFile: 'none.pem', passwordFile: 'password' }, ['passwordFile'], [/ENOENT.*left out/]],
  ['a file cut short', { caFile: 'torn.pem' }, [], [/PEM/]],
  ['a key for a certificate', { caFile: 'one.key' }, [], [/PEM/]],
  ['a certificate for a key', { certFile: 'one.pem', keyFile: 'one.pem' }, [], [/one\.pem/, /no broker\.keyFile/]],
  ['a pair that is none', { certFile: 'one.pem', keyFile: 'two.key' }, [], [/mismatch/, /mismatch/]],
  ['a certificate alone', { certFile: 'one.pem' }, [], [/no broker\.keyFile/]],
]; // biome-ignore format: one case a line
for (const [what, files, left, reasons] of bad)
  test(`left out: ${what}`, () => {
    const found = check(files);
    assert.deepEqual(found.left, left);
    assert.equal(found.problems.length, reasons.length, JSON.stringify(found.problems));
    reasons.forEach((reason, at) => {
      assert.match(found.problems[at]!.reason, reason);
    });
  });
