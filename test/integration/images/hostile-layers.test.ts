/** Layers that want out, lie, or never end (T-50 … T-66): each is refused with a reason, and nothing is left behind. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type TarEntry, tar } from '../../images/tar-writer.ts';
import { ImageBoard, NO_NEED } from './image-board.ts';

let board: ImageBoard;
before(() => {
  board = new ImageBoard();
});
after(() => board.close());

async function refused(archive: string, code: string, reason: RegExp): Promise<void> {
  const before = board.onDisk();
  await assert.rejects(board.images.load(archive), (error: Error & { code: string }) => {
    assert.match(error.message, reason);
    assert.equal(error.code, code);
    return true;
  });
  assert.deepEqual(board.onDisk(), before);
  assert.deepEqual(board.images.list(), []);
}

/** Loads an image of one layer, returns the layer's directory, and removes the image when `use` is done. */
async function extracted(entries: TarEntry[], use: (dir: string) => void): Promise<void> {
  await board.images.load(await board.archive([entries], { name: 'ok' }));
  use((await board.layersOf('ok'))[0]!);
  await board.images.remove('ok', NO_NEED);
}

describe('refused', () => {
  const layers: [string, TarEntry[], RegExp][] = [
    ['an absolute name', [{ name: '/etc/passwd', data: 'x' }], /entry "\/etc\/passwd": has an absolute name/],
    ['a name that climbs', [{ name: '../../../etc/passwd', data: 'x' }], /entry "\.\.\/\.\.\/\.\.\/etc\/passwd": leads out/],
    ['a name that climbs later', [{ name: 'a/' }, { name: 'a/../../x', data: 'x' }], /leads out/],
    ['a directory named ..', [{ name: 'a/../../b/' }], /leads out/],
    ['a hard link to a file of the host', [{ name: 'h', type: '1', link: '/etc/passwd' }], /hard link target/],
    ['a hard link that climbs', [{ name: 'h', type: '1', link: '../../../../etc/passwd' }], /hard link target/],
    ['a hard link through a link', [{ name: 'l', type: '2', link: '/' }, { name: 'h', type: '1', link: 'l/etc/passwd' }], /not in the layer/],
    ['a hard link before its target', [{ name: 'h', type: '1', link: 'f' }, { name: 'f' }], /not in the layer \(before the link\)/],
    ['a file through a link to nothing', [{ name: 'l', type: '2', link: '/nowhere' }, { name: 'l/x', data: 'x' }], /"l" is needed as a directory/],
    ['a whiteout through a link to nothing', [{ name: 'a', type: '2', link: '/etc' }, { name: 'a/.wh.passwd' }], /"a" is needed as a directory/],
    ['a file below a file', [{ name: 'f', data: 'x' }, { name: 'f/g', data: 'x' }], /"f" is needed as a directory/],
    ['a loop of links', [{ name: 'l', type: '2', link: 'l' }, { name: 'l/x' }], /./],
    ['a whiteout of nothing', [{ name: 'd/.wh.' }], /whiteout of nothing/],
    ['a whiteout of the root', [{ name: '.wh..' }], /whiteout of nothing/],
    ['an entry below a whiteout', [{ name: '.wh.d/x' }], /below a whiteout/],
    ['a file for a root', [{ name: './', type: '2', link: '/etc' }], /top of the layer/],
    ['an unknown type of entry', [{ name: 'z', type: 'Z' }], /entry "z": unknown type/],
    ['a negative size', [{ name: 'f', size: -1 }], /negative/],
    ['a negative size in an extended header', [{ name: 'f', pax: { size: '-1' } }], /negative/],
    ['a size beyond the end', [{ name: 'f', pax: { size: '99999999999' }, data: 'x' }], /./],
    ['a sparse file larger than any disk', [{ name: 'f', pax: { 'GNU.sparse.major': '0', 'GNU.sparse.minor': '1', 'GNU.sparse.map': '0,1,9000000000000,1', 'GNU.sparse.size': '9000000000001', 'GNU.sparse.numblocks': '2' }, data: 'xy' }], /./],
    ['an extended header that is damaged', [{ name: 'f', pax: Buffer.from('9999 path=x\n') }], /[Mm]alformed|pax/],
    ['an owner beyond 32 bits', [{ name: 'f', pax: { uid: '4294967296' } }], /owner is out of range/],
    ['an owner that means "leave it"', [{ name: 'f', pax: { gid: '4294967295' } }], /owner is out of range/],
    ['a name of 4000 bytes', [{ name: 'd/'.repeat(2000) }], /longer than 3072/],
    ['a component of 300 bytes', [{ name: 'x'.repeat(300) }], /255/],
    ['a name with control characters, shown escaped', [{ name: '../\n\x1b[31m', data: '' }], /"\.\.\/\\x0a\\x1b\[31m"/],
  ]; // biome-ignore format: one layer a line
  for (const [what, entries, reason] of layers)
    test(what, async () => {
      const mark = [{ name: 'first', data: 'x' }, ...entries];
      await refused(await board.archive([mark]), 'ArchiveInvalid', reason);
    });

  test('a compressed bomb, gzip and zstd', async () => {
    const zeros = tar([{ name: 'zeros', data: Buffer.alloc(80 << 20) }]);
    for (const compress of ['gzip', 'zstd'] as const)
      await refused(await board.archive([zeros], { compress }), 'ArchiveInvalid', /decompression bomb/);
  });

  test('a diff id that is not the layer’s', async () => {
    const archive = await board.archive([[{ name: 'f' }]], { diffIds: [`sha256:${'0'.repeat(64)}`] });
    await refused(archive, 'ArchiveInvalid', /layer 1 of 1: the uncompressed layer is sha256:.*, expected sha256:0000/);
  });

  test('a layer blob that was changed', async () => {
    const archive = await board.archive([[{ name: 'f', data: 'sound data' }]], { compress: 'none' });
    const bytes = readFileSync(archive);
    bytes.write('other data', bytes.indexOf('sound data'));
    writeFileSync(archive, bytes);
    await refused(archive, 'ArchiveInvalid', /the layer is sha256:.*, expected sha256:/);
  });

  test('an archive cut off anywhere', async () => {
    const archive = await board.archive([[{ name: 'f', data: Buffer.alloc(200_000, 'x') }]], { compress: 'none' });
    const { size } = statSync(archive);
    for (const part of [0.9, 0.5, 0.1]) {
      truncateSync(archive, Math.floor(size * part));
      await refused(archive, 'ArchiveInvalid', /./);
    }
  });

  test('a layer cut off inside its compressed stream', async () => {
    for (const pack of [gzipSync, zstdCompressSync]) {
      const packed = pack(tar([{ name: 'f', data: Buffer.from(Array.from({ length: 9999 }, (_, i) => i * i)) }]));
      const archive = await board.archive([packed.subarray(0, packed.length - 20)], { compress: 'none' });
      await refused(archive, 'ArchiveInvalid', /layer 1 of 1/);
    }
  });
});

describe('harmless: stays inside', () => {
  test('files through links to the root and above land in the layer', async () => {
    const name = `edgepod-escape-${process.pid}`;
    const entries: TarEntry[] = [
      { name: 'a', type: '2', link: '/' },
      { name: `a/${name}`, data: '1' },
      { name: 'b', type: '2', link: '../../../../../../..' },
      { name: `b/${name}-2`, data: '2' },
      { name: 'etc/' },
      { name: 'c', type: '2', link: '/etc' },
      { name: 'c/.wh.passwd' },
    ];
    await extracted(entries, (dir) => {
      assert.equal(existsSync(join('/', name)) || existsSync(join('/', `${name}-2`)), false);
      assert.deepEqual(readdirSync(dir).sort(), ['a', 'b', 'c', name, `${name}-2`, 'etc'].sort());
      assert.ok(lstatSync(join(dir, 'etc/passwd')).isCharacterDevice());
      assert.ok(lstatSync('/etc/passwd').isFile());
    });
  });

  test('a link to a link is a link', async () => {
    const entries = [
      { name: 's', type: '2', link: '/etc/shadow' },
      { name: 'h', type: '1', link: 's' },
    ];
    await extracted(entries, (dir) => assert.equal(readlinkSync(join(dir, 'h')), '/etc/shadow'));
  });

  test('a file, then a directory, then a link of one name: the last counts', async () => {
    const entries: TarEntry[] = [
      { name: 'x', data: 'file' },
      { name: 'x/' },
      { name: 'x/in', data: '1' },
      { name: 'x', type: '2', link: '/etc' },
    ];
    await extracted(entries, (dir) => {
      assert.deepEqual(readdirSync(dir), ['x']);
      assert.equal(readlinkSync(join(dir, 'x')), '/etc');
    });
  });

  test('device nodes are left out, also one that would be a whiteout', async () => {
    const entries: TarEntry[] = [
      { name: 'null', type: '3', major: 1, minor: 3 },
      { name: 'disk', type: '4', major: 8, minor: 0 },
      { name: 'hidden', type: '3', major: 0, minor: 0 },
      { name: 'f' },
    ];
    await extracted(entries, (dir) => assert.deepEqual(readdirSync(dir), ['f']));
  });

  test('nobody but root can look into the store', () => {
    for (const path of ['', 'layers', 'tmp', 'records'])
      assert.equal(statSync(join(board.dir, path)).mode & 0o777, 0o700, path);
  });
});
