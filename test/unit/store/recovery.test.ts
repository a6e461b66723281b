import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { assertNodeApi } from '../../../src/store/connection.ts';
import { classify } from '../../../src/store/errors.ts';
import { migrations } from '../../../src/store/migrations/all.ts';
import { SESSION_COUNTER } from '../../../src/store/store.ts';
import { memoryLog, NOW, open, tempDir } from './temp-store.ts';

/** A closed database with `meta.kept` = backup in its backup and = newest in itself. */
function prepared(t: TestContext): string {
  const path = join(tempDir(t), 'edgepod.db');
  const store = open(path);
  store.meta.set('kept', 'backup');
  // Enough pages that damage in the middle hits something.
  store.transaction(() => {
    for (let i = 0; i < 200; i++) store.meta.set(`filler-${i}`, 'x'.repeat(200));
  });
  store.backup();
  store.meta.set('kept', 'newest');
  store.close();
  return path;
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

const setAsides = (path: string) => readdirSync(dirname(path)).filter((name) => name.includes('.corrupt-'));

describe('opening', () => {
  test('a new, then a sound database', (t) => {
    const path = join(tempDir(t), 'sub', 'edgepod.db');
    const first = open(path);
    assert.deepEqual(first.opened, { state: 'fresh', migrated: [1] });
    first.meta.set('a', '1');
    first.close();
    assert.deepEqual(readdirSync(dirname(path)), ['edgepod.db']);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const log = memoryLog();
    const again = open(path, { log });
    assert.deepEqual(again.opened, { state: 'ok', migrated: [] });
    assert.equal(again.meta.get('a'), '1');
    assert.equal(log.lines[0]?.fields.event, 'store.opened');
    again.close();
  });

  const damages: Record<string, (path: string) => void> = {
    'cut to half': (path) => truncateSync(path, statSync(path).size / 2),
    'cut inside the first page': (path) => truncateSync(path, 700),
    'cut to nothing': (path) => truncateSync(path, 0),
    'all garbage': (path) => writeFileSync(path, Buffer.alloc(40_000, 0xa5)),
    'flipped header': (path) => overwrite(path, 0, Buffer.from('sqlITE')),
    'flipped page size': (path) => overwrite(path, 16, Buffer.from([0x07, 0x77])),
    'garbage in the middle': (path) => overwrite(path, 8192, Buffer.alloc(statSync(path).size - 12_288, 0xff)),
    'somebody else’s database': (path) => overwrite(path, 68, Buffer.from('oops')),
    'of a newer edgepod': (path) => overwrite(path, 60, Buffer.from([0, 0, 0, 99])),
    missing: (path) => rmSync(path),
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(`${name}: the newest backup is restored, the damaged file kept`, (t) => {
      const path = prepared(t);
      damage(path);
      const log = memoryLog();
      const store = open(path, { log });
      assert.equal(store.opened.state, 'restored');
      assert.equal(store.opened.backup, `${path}.bak1`);
      assert.equal(store.meta.get('kept'), 'backup');
      assert.equal(setAsides(path).length, name === 'missing' ? 0 : 1);
      assert.equal(store.opened.setAside === undefined, name === 'missing');
      store.close();
      const again = open(path);
      assert.equal(again.opened.state, 'ok');
      again.close();
    });
  }

  test('damaged, and so is its backup: the older backup; none left: fresh', (t) => {
    const path = prepared(t);
    const store = open(path);
    store.meta.set('kept', 'second');
    store.backup();
    store.close();
    for (const file of [path, `${path}.bak1`]) writeFileSync(file, 'garbage');
    const restored = open(path);
    assert.equal(restored.opened.backup, `${path}.bak2`);
    assert.equal(restored.meta.get('kept'), 'backup');
    restored.close();
    for (const file of [path, `${path}.bak1`, `${path}.bak2`]) writeFileSync(file, 'garbage');
    const fresh = open(path);
    assert.equal(fresh.opened.state, 'fresh');
    assert.match(fresh.opened.setAside ?? '', /corrupt-/);
    fresh.close();
  });

  test('only two damaged files are kept', (t) => {
    const path = join(tempDir(t), 'edgepod.db');
    for (let i = 0; i < 4; i++) {
      writeFileSync(path, `garbage ${i}`);
      open(path).close();
      rmSync(path);
    }
    const kept = setAsides(path).map((name) => readFileSync(join(dirname(path), name), 'utf8'));
    assert.deepEqual(kept.sort(), ['garbage 2', 'garbage 3']);
  });

  test('after a loss everything is published again and the session number jumps ahead', (t) => {
    const path = prepared(t);
    const store = open(path);
    store.outbox.putRetained('a', '1');
    store.outbox.acknowledge(store.outbox.pending(1));
    store.meta.set(SESSION_COUNTER, '7');
    store.backup();
    store.close();
    writeFileSync(path, 'garbage');
    const restored = open(path);
    assert.equal(restored.outbox.counts().retained, 1);
    assert.equal(restored.meta.increment(SESSION_COUNTER), NOW.getTime() / 1000 + 1);
    restored.close();
  });

  test('leftovers of an interrupted backup or restore go', (t) => {
    const path = prepared(t);
    for (const suffix of ['.bak.tmp', '.restore.tmp']) writeFileSync(`${path}${suffix}`, 'half');
    open(path).close();
    assert.deepEqual(readdirSync(dirname(path)).sort(), ['edgepod.db', 'edgepod.db.bak1']);
  });

  test('a torn WAL loses only what was not complete', (t) => {
    const path = prepared(t);
    writeFileSync(`${path}-wal`, Buffer.alloc(5000, 0x5a));
    const store = open(path);
    assert.equal(store.opened.state, 'ok');
    assert.equal(store.meta.get('kept'), 'newest');
    store.close();
  });
});

describe('migrations', () => {
  const next = { version: 2, name: 'next', sql: 'CREATE TABLE extra (a TEXT) STRICT; INSERT INTO extra VALUES (1);' };

  test('run once, after a backup, all or nothing', (t) => {
    const path = prepared(t);
    const store = open(path, { migrations: [...migrations, next] });
    assert.deepEqual(store.opened, { state: 'ok', migrated: [2] });
    store.close();
    const back = open(path);
    assert.equal(back.opened.state, 'restored');
    assert.equal(back.meta.get('kept'), 'newest', 'the older edgepod gets the backup made before the migration');
    back.close();
  });

  test('one that fails leaves the database as it was', (t) => {
    const path = prepared(t);
    const broken = { version: 3, name: 'broken', sql: 'CREATE TABLE half (a TEXT); INSERT INTO nowhere VALUES (1);' };
    assert.throws(() => open(path, { migrations: [...migrations, next, broken] }), { code: 'E_STORE_STATEMENT' });
    const store = open(path);
    assert.equal(store.opened.state, 'ok');
    assert.equal(store.meta.get('kept'), 'newest');
    store.close();
  });
});

describe('errors', () => {
  const table: [string, string][] = [
    ['SQLITE_FULL', 'E_STORE_FULL'],
    ['ENOSPC', 'E_STORE_FULL'],
    ['SQLITE_READONLY_DBMOVED', 'E_STORE_READONLY'],
    ['EROFS', 'E_STORE_READONLY'],
    ['SQLITE_BUSY', 'E_STORE_BUSY'],
    ['SQLITE_IOERR_READ', 'E_STORE_CORRUPT'],
    ['SQLITE_IOERR_FSYNC', 'E_STORE_IO'],
    ['SQLITE_CANTOPEN', 'E_STORE_IO'],
    ['SQLITE_CORRUPT_INDEX', 'E_STORE_CORRUPT'],
    ['SQLITE_NOTADB', 'E_STORE_CORRUPT'],
    ['SQLITE_CONSTRAINT_FOREIGNKEY', 'E_STORE_STATEMENT'],
  ];
  for (const [cause, code] of table) test(`${cause} is ${code}`, () => assert.equal(classify(cause), code));

  test('an old Node is told so, before it would crash', () => {
    assert.throws(() => assertNodeApi('9'), { code: 'E_STORE_NODE', message: /install Node 22\.14 or newer/ });
    assertNodeApi('10');
  });

  test('a directory that cannot be written says what to do', (t) => {
    const file = join(tempDir(t), 'file');
    writeFileSync(file, '');
    assert.throws(() => open(join(file, 'edgepod.db')), { name: 'StoreError', code: 'E_STORE_IO', retry: true });
  });
});
