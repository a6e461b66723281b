/** A disk that is full or read-only: a clear error, nothing half-done, and everything works again afterwards. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { StoreError } from '../../../src/store/errors.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { memoryLog } from '../../unit/store/temp-store.ts';

/** A small file system of its own. */
function smallDisk(t: TestContext, size: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'edgepod-small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'edgepod-test', dir]);
  t.after(() => {
    execFileSync('umount', [dir]);
    rmdirSync(dir);
  });
  return dir;
}

function open(dir: string): Store {
  return openStore(join(dir, 'edgepod.db'), { log: memoryLog(), now: () => new Date() });
}

function fill(dir: string): string {
  const file = join(dir, 'filler');
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(file, Buffer.alloc(bavail * bsize));
  return file;
}

test('full: the write fails as a whole and says so; with room again it succeeds', (t) => {
  const dir = smallDisk(t, '2m');
  const store = open(dir);
  store.meta.set('before', '1');
  const filler = fill(dir);
  let error: unknown;
  // The WAL has some room left in its last block: it takes a few writes to fill it.
  for (let i = 0; error === undefined && i < 200; i++) {
    try {
      store.transaction(() => {
        store.meta.set('half', `${i}`);
        store.outbox.putRetained('topic', 'x'.repeat(20_000 + i));
      });
    } catch (caught) {
      error = caught;
    }
  }
  assert.ok(error instanceof StoreError, String(error));
  assert.equal(error.retry, true, 'nothing is to be acknowledged now');
  assert.ok(['E_STORE_FULL', 'E_STORE_IO'].includes(error.code), error.code);
  assert.match(error.message, /free space|storage device/);
  assert.equal(store.meta.get('before'), '1', 'still readable');
  assert.throws(() => store.backup(), StoreError);
  rmSync(filler);
  store.meta.set('after', '2');
  store.backup();
  store.close();
  const again = open(dir);
  assert.equal(again.opened.state, 'ok');
  assert.equal(again.meta.get('after'), '2');
  again.close();
});

test('full from the start: an error to act on, and a start when there is room', (t) => {
  const dir = smallDisk(t, '64k');
  const filler = fill(dir);
  assert.throws(
    () => open(dir),
    (error: unknown) => error instanceof StoreError && error.retry,
  );
  rmSync(filler);
  execFileSync('mount', ['-o', 'remount,size=2m', dir]);
  const store = open(dir);
  store.meta.set('a', '1');
  store.close();
});

test('read-only: an error that names the way out', (t) => {
  const dir = smallDisk(t, '2m');
  open(dir).close();
  execFileSync('mount', ['-o', 'remount,ro', dir]);
  assert.throws(
    () => {
      const store = open(dir);
      t.after(() => store.close());
      store.meta.set('a', '1');
    },
    { code: 'E_STORE_READONLY', message: /must be writable/ },
  );
  execFileSync('mount', ['-o', 'remount,rw', dir]);
  const store = open(dir);
  store.meta.set('a', '1');
  store.close();
});
