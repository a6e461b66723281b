/** What an honest layer says is what is on disk, and what an overlay mount of several makes of it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tar } from '../../images/tar-writer.ts';
import { ImageBoard } from './image-board.ts';

let board: ImageBoard;
before(() => {
  board = new ImageBoard();
});
after(() => board.close());

async function layer(entries: TarEntry[]): Promise<string> {
  await board.images.load(await board.archive([entries]));
  return (await board.layersOf('test'))[0]!;
}

/** Extended attributes, as GNU tar finds them: `key=value` records of a pax header. */
function xattrs(path: string): string {
  const archive = execFileSync('tar', ['-cf', '-', '--xattrs', '--xattrs-include=*', '--no-recursion', '-P', path]);
  return archive.toString('latin1');
}

describe('one layer', () => {
  test('modes, owners, times; set-id bits survive the change of owner', async () => {
    const dir = await layer([
      { name: './', mode: 0o750, uid: 5, gid: 6, mtime: 1000 },
      { name: 'd/', mode: 0o1777, mtime: 1_000_000_000 },
      { name: 'd/suid', mode: 0o4755, uid: 1000, gid: 2000, mtime: 1_500_000_000, data: 'x' },
      { name: 'd/sgid', mode: 0o2711, uid: 4_000_000_000, gid: 1, pax: { mtime: '1234567890.5' }, data: 'y' },
      { name: 'd/none', mode: 0, data: 'z' },
    ]);
    const stat = (name: string) => {
      const { mode, uid, gid, mtimeMs } = lstatSync(join(dir, name));
      return [mode & 0o7777, uid, gid, mtimeMs / 1000];
    };
    assert.deepEqual(stat(''), [0o750, 5, 6, 1000]);
    assert.deepEqual(stat('d'), [0o1777, 0, 0, 1_000_000_000]);
    assert.deepEqual(stat('d/suid'), [0o4755, 1000, 2000, 1_500_000_000]);
    assert.deepEqual(stat('d/sgid'), [0o2711, 4_000_000_000, 1, 1_234_567_890.5]);
    assert.equal(stat('d/none')[0], 0);
  });

  test('links, FIFOs, implied parents, long and foreign names', async () => {
    const long = `${'directory-with-a-long-name/'.repeat(9)}file`;
    const dir = await layer([
      { name: 'file', data: 'shared' },
      { name: 'hard', type: '1', link: 'file' },
      { name: 'soft', type: '2', link: '../../../../anywhere at all', uid: 7 },
      { name: 'deep/er/fifo', type: '6', mode: 0o620 },
      { name: long, data: 'long' },
      { name: 'caf\u00e9', data: 'nfc' },
      { name: 'cafe\u0301', data: 'nfd' },
      { name: Buffer.from([0x6a, 0xff, 0xfe]), data: 'no utf-8' },
    ]);
    assert.equal(lstatSync(join(dir, 'hard')).ino, lstatSync(join(dir, 'file')).ino);
    assert.equal(readlinkSync(join(dir, 'soft')), '../../../../anywhere at all');
    assert.equal(lstatSync(join(dir, 'soft')).uid, 7);
    assert.ok(lstatSync(join(dir, 'deep/er/fifo')).isFIFO());
    assert.equal(lstatSync(join(dir, 'deep/er')).mode & 0o7777, 0o755);
    assert.equal(readFileSync(join(dir, long), 'utf8'), 'long');
    const names = readdirSync(dir, { encoding: 'buffer' }).map((name) => name.toString('latin1'));
    for (const name of ['caf\u00e9', 'cafe\u0301'])
      assert.ok(names.includes(Buffer.from(name).toString('latin1')), name);
    assert.ok(names.includes('j\u00ff\u00fe'));
  });

  test('extended attributes: capabilities and user.* are kept, those that steer the host are not', async () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex'); // cap_net_raw=ep
    const dir = await layer([
      { name: 'ping', mode: 0o755, uid: 3, pax: { 'SCHILY.xattr.security.capability': capability }, data: 'x' },
      { name: 'note', pax: { 'SCHILY.xattr.user.note': 'hello' }, data: 'x' },
      {
        name: 'evil',
        pax: {
          'SCHILY.xattr.trusted.overlay.redirect': '/etc',
          'SCHILY.xattr.user.overlay.opaque': 'y',
          'SCHILY.xattr.trusted.mine': 'x',
          'SCHILY.xattr.security.ima': 'x',
        },
        data: 'x',
      },
    ]);
    assert.ok(xattrs(join(dir, 'ping')).includes(`security.capability=${capability.toString('latin1')}`));
    assert.match(xattrs(join(dir, 'note')), /user\.note=hello\n/);
    assert.doesNotMatch(xattrs(join(dir, 'evil')), /xattr/);
  });

  test('a sparse file has its holes back', async () => {
    const dir = await layer([
      {
        name: 's',
        pax: { 'GNU.sparse.size': '1000000', 'GNU.sparse.numblocks': '2', 'GNU.sparse.map': '0,4,999996,4' },
        data: 'headtail',
      },
    ]);
    const content = readFileSync(join(dir, 's'), 'latin1');
    assert.deepEqual([content.length, content.slice(0, 4), content.slice(-4)], [1_000_000, 'head', 'tail']);
  });

  test('gzip members one after the other are one layer, as parallel compressors write them', async () => {
    const plain = tar([{ name: 'f', data: Buffer.alloc(100_000, 'abc') }]);
    const members = [0, 1, 2].map((part) => gzipSync(plain.subarray(part * 40_000, (part + 1) * 40_000)));
    const { sha256 } = await import('../../images/oci-writer.ts');
    const archive = await board.archive([Buffer.concat(members)], { compress: 'none', diffIds: [sha256(plain)] });
    await board.images.load(archive);
    const [dir] = await board.layersOf('test');
    assert.equal(lstatSync(join(dir!, 'f')).size, 100_000);
  });
});

/** Every path an overlay mount of these layers (lowest first) shows, in a mount namespace that ends with the command. */
function merged(layers: string[]): string[] {
  const mountPoint = join(board.root, 'merged');
  const empty = join(board.root, 'empty'); // one lower directory alone is no overlay
  for (const path of [mountPoint, empty]) mkdirSync(path, { recursive: true });
  const script = 'mount -t overlay overlay -o "lowerdir=$1" "$2" && cd "$2" && find . -mindepth 1 | sort';
  const lower = [...layers].reverse().concat(empty).join(':');
  const out = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', lower, mountPoint], { encoding: 'utf8' });
  return out
    .split('\n')
    .filter(Boolean)
    .map((path) => path.slice(2));
}

describe('layers on top of one another', () => {
  const base: TarEntry[] = [
    { name: 'a/' },
    { name: 'a/one', data: '1' },
    { name: 'a/two', data: '2' },
    { name: 'b/' },
    { name: 'b/old', data: '3' },
    { name: 'c', data: '4' },
  ];

  async function stacked(upper: TarEntry[]): Promise<string[]> {
    await board.images.load(await board.archive([base, upper]));
    const { lowerDirs } = await board.images.ensure('test', 'Never');
    return merged(lowerDirs.toReversed());
  }

  test('a whiteout hides a file, a directory, and nothing else', async () => {
    assert.deepEqual(await stacked([{ name: 'a/' }, { name: 'a/.wh.one' }, { name: '.wh.b' }]), ['a', 'a/two', 'c']);
  });

  test('an opaque directory shows only its own, wherever its mark stands', async () => {
    const mark = { name: 'a/.wh..wh..opq' };
    const own = { name: 'a/new', data: 'x' };
    for (const entries of [
      [{ name: 'a/' }, mark, own],
      [{ name: 'a/' }, own, mark],
      [mark, own],
    ])
      assert.deepEqual(await stacked(entries), ['a', 'a/new', 'b', 'b/old', 'c']);
  });

  test('a whiteout and a directory of one name: the directory, without what was below it', async () => {
    const hide = { name: '.wh.a' };
    const own = [{ name: 'a/' }, { name: 'a/new', data: 'x' }];
    for (const entries of [
      [hide, ...own],
      [...own, hide],
      [hide, own[1]!],
    ])
      assert.deepEqual(await stacked(entries), ['a', 'a/new', 'b', 'b/old', 'c']);
  });

  test('a whiteout and a file of one name: the file of this layer', async () => {
    assert.deepEqual(await stacked([{ name: 'c', data: 'new' }, { name: '.wh.c' }]), [
      'a',
      'a/one',
      'a/two',
      'b',
      'b/old',
      'c',
    ]);
  });

  test('an opaque root hides every layer below', async () => {
    assert.deepEqual(await stacked([{ name: '.wh..wh..opq' }, { name: 'only' }]), ['only']);
  });

  test('the same layer twice is mounted once, on top', async () => {
    const again = [{ name: 'x' }];
    await board.images.load(await board.archive([again, base, again]));
    const { lowerDirs } = await board.images.ensure('test', 'Never');
    assert.equal(lowerDirs.length, 2);
    assert.deepEqual(merged(lowerDirs.toReversed()), ['a', 'a/one', 'a/two', 'b', 'b/old', 'c', 'x']);
  });
});
