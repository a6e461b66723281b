import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type ReadLogOptions, readLog } from '../../../src/runtime/logs/read.ts';

const line = (text: string | number) => `2026-01-01T00:00:00.${String(text).padStart(9, '0')}Z stdout F ${text}\n`;
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => line(from + n)).join('');
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => String(from + n));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'edgepod-logs-'));
});
afterEach(() => rm(dir, { recursive: true }));

const texts = async (options: Omit<ReadLogOptions, 'dir'> = {}) => {
  const result: string[] = [];
  for await (const { text } of readLog({ dir, ...options })) result.push(text);
  return result;
};

describe('reading', () => {
  test('an attempt without a log, and a directory that is not there', async () => {
    assert.deepEqual(await texts({ attempt: 3 }), []);
    assert.deepEqual(await readLog({ dir: join(dir, 'nowhere') }).next(), { value: undefined, done: true });
  });

  test('rotated files first, in order of their age', async () => {
    await writeFile(join(dir, '0.log.20260101-000002'), lines(3, 4));
    await writeFile(join(dir, '0.log.20260101-000001'), line(1));
    await writeFile(join(dir, '0.log.20260101-000001.001'), line(2));
    await writeFile(join(dir, '0.log'), lines(5, 6));
    assert.deepEqual(await texts(), numbers(1, 6));
  });

  test('the newest attempt, the one before, and a named one', async () => {
    for (const attempt of [0, 1, 2, 10]) await writeFile(join(dir, `${attempt}.log`), line(attempt));
    assert.deepEqual(await texts(), ['10']);
    assert.deepEqual(await texts({ attempt: 1 }), ['1']);
    assert.deepEqual(await texts({ attempt: 2, previous: true }), ['1']);
    assert.deepEqual(await texts({ attempt: 0, previous: true }), []);
  });

  test('torn and foreign lines are left out; an unfinished one is not shown yet', async () => {
    await writeFile(join(dir, '0.log'), `garbage\n${line(1)}\n${line(2)}2026-01-01T00:00:00Z stdout F unfin`);
    assert.deepEqual(await texts(), ['1', '2']);
  });

  test('a line longer than a block, across blocks', async () => {
    const long = 'x'.repeat(200_000);
    await writeFile(join(dir, '0.log'), `${line(1)}2026-01-01T00:00:00Z stdout F ${long}\n${line(2)}`);
    const read = await texts();
    assert.ok(read.join() === ['1', long, '2'].join(), 'all three lines, whole');
  });

  test('since leaves out what is older', async () => {
    await writeFile(join(dir, '0.log'), lines(1, 5));
    assert.deepEqual(await texts({ since: '2026-01-01T00:00:00.000000004Z' }), ['4', '5']);
  });

  test('a symlink planted under a log’s name is not followed', async () => {
    await symlink('/etc/passwd', join(dir, '0.log'));
    await assert.rejects(texts(), { code: 'ELOOP' });
  });
});

describe('tail', () => {
  beforeEach(async () => {
    await writeFile(join(dir, '0.log.20260101-000001'), lines(1, 3));
    await writeFile(join(dir, '0.log'), lines(4, 5));
  });
  for (const [tail, expected] of [
    [0, []],
    [1, ['5']],
    [2, ['4', '5']],
    [3, ['3', '4', '5']],
    [5, numbers(1, 5)],
    [9, numbers(1, 5)],
  ] as const)
    test(`${tail} of 5 lines in two files`, async () => assert.deepEqual(await texts({ tail }), expected));

  test('of a file of many blocks', async () => {
    await writeFile(join(dir, '0.log'), lines(1, 20_000));
    assert.deepEqual(await texts({ tail: 9_000 }), numbers(11_001, 20_000));
  });
  test('0 of an empty file', async () => {
    await writeFile(join(dir, '7.log'), '');
    assert.deepEqual(await texts({ attempt: 7, tail: 0 }), []);
  });
});

describe('follow', () => {
  test('through rotation, until the container has ended', { timeout: 20_000 }, async () => {
    const path = join(dir, '0.log');
    await writeFile(path, line(1));
    const end = Promise.withResolvers<void>();
    const seen: string[] = [];
    const steps = new Map<string, () => Promise<unknown>>([
      ['1', () => appendFile(path, line(2))],
      [
        '2',
        async () => {
          await appendFile(path, line(3)); // written just before the rotation: must not be lost
          await rename(path, `${path}.20260101-000001`);
          await writeFile(path, lines(4, 5));
          await rename(path, `${path}.20260101-000002`); // a whole file between two readings
          await writeFile(path, line(6));
        },
      ],
      [
        '6',
        async () => {
          await appendFile(path, line(7));
          end.resolve();
        },
      ],
    ]);
    for await (const { text } of readLog({ dir, follow: true, until: end.promise })) {
      seen.push(text);
      await steps.get(text)?.();
    }
    assert.deepEqual(seen, numbers(1, 7));
  });

  test('waits for a log that is not there yet', { timeout: 20_000 }, async () => {
    const end = Promise.withResolvers<void>();
    const reading = texts({ attempt: 0, follow: true, until: end.promise });
    await writeFile(join(dir, '0.log'), line(1));
    end.resolve();
    assert.deepEqual(await reading, ['1']);
  });

  test('abort ends it at once', { timeout: 20_000 }, async () => {
    await writeFile(join(dir, '0.log'), line(1));
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { text } of readLog({ dir, follow: true, signal: abort.signal })) {
      seen.push(text);
      setImmediate(() => abort.abort());
    }
    assert.deepEqual(seen, ['1']);
  });

  test('a reader that leaves early leaves nothing open', { timeout: 20_000 }, async () => {
    await writeFile(join(dir, '0.log'), lines(1, 10));
    const reader = readLog({ dir, follow: true });
    assert.equal((await reader.next()).value?.text, '1');
    await reader.return();
    assert.deepEqual(await reader.next(), { value: undefined, done: true });
  });
});
