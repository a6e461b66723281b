import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Seal } from '../../../src/store/seal.ts';
import { open, tempDir } from './temp-store.ts';

const row = {
  kind: 'secrets',
  namespace: 'default',
  name: 's',
  source: 'device',
  manifest: '{"data":{"password":"correct-horse"}}',
  specDigest: 'd',
  manifestDigest: 'm',
  generation: undefined,
  deletionTimestamp: undefined,
  topic: 't',
};

test('a Secret comes back after a restart, and is in clear in no file, the WAL and backups included', (t) => {
  const dir = tempDir(t);
  const store = open(join(dir, 'edgepod.db'));
  store.objects.put(row);
  store.backup();
  const inClear = readdirSync(dir).filter((name) => readFileSync(join(dir, name)).includes('correct-horse'));
  assert.deepEqual(inClear, []);
  store.close();
  const again = open(join(dir, 'edgepod.db'));
  assert.equal(again.objects.effectiveOne('secrets', 'default', 's')?.manifest, row.manifest);
  again.close();
  assert.equal(statSync(join(dir, 'secrets.key')).mode & 0o777, 0o600);
});

test('without its key a Secret is forgotten at start, so that the broker’s copy is taken in again', (t) => {
  const dir = tempDir(t);
  const store = open(join(dir, 'edgepod.db'));
  store.objects.put(row);
  store.objects.put({ ...row, kind: 'configmaps' });
  store.close();
  rmSync(join(dir, 'secrets.key'));
  const again = open(join(dir, 'edgepod.db'));
  assert.equal(again.objects.get({ ...row }), undefined);
  assert.ok(again.objects.get({ ...row, kind: 'configmaps' }));
  again.close();
});

test('what was sealed for one place, or changed, does not open elsewhere', (t) => {
  const seal = new Seal(join(tempDir(t), 'key'));
  const sealed = seal.seal('text', 'here');
  assert.equal(seal.open(sealed, 'here'), 'text');
  assert.equal(seal.open(sealed, 'there'), undefined);
  assert.equal(seal.open(`${sealed.slice(0, -6)}AAAAA=`, 'here'), undefined);
  assert.equal(seal.open('text', 'here'), undefined);
});
