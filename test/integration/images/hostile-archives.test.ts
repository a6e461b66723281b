/** Archives around the layers that are damaged, hostile or for somebody else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { hostArch } from '../../images/programs.ts';
import { type TarEntry, tar } from '../../images/tar-writer.ts';
import { ImageBoard, NO_NEED } from './image-board.ts';

let board: ImageBoard;
before(() => {
  board = new ImageBoard();
});
after(() => board.close());

function file(name: string, data: Buffer | string): string {
  const path = join(board.root, name);
  writeFileSync(path, data);
  return path;
}

async function refused(path: string, code: string, reason: RegExp): Promise<void> {
  await assert.rejects(board.images.load(path), (error: Error & { code: string }) => {
    assert.match(error.message, reason);
    assert.equal(error.code, code);
    return true;
  });
  assert.deepEqual(board.onDisk(), { layers: [], tmp: [] });
  assert.deepEqual(board.images.list(), []);
}

const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['x:1'], Layers: ['l.tar'] }]);
const config = JSON.stringify({
  os: 'linux',
  architecture: hostArch,
  rootfs: { diff_ids: [`sha256:${'0'.repeat(64)}`] },
});
const sound: TarEntry[] = [
  { name: 'manifest.json', data: manifest },
  { name: 'c.json', data: config },
];

const archives: [string, TarEntry[], RegExp][] = [
  ['a name that climbs', [...sound, { name: '../../etc/cron.d/x', data: 'x' }], /leads out/],
  ['an absolute name', [...sound, { name: '/etc/cron.d/x', data: 'x' }], /absolute name/],
  ['a device', [...sound, { name: 'l.tar', type: '4', major: 8 }], /neither a file, a directory nor a link/],
  ['a layer that is a link to a file of the host', [...sound, { name: 'l.tar', type: '2', link: '/etc/passwd' }], /"l.tar", but it is not in it/],
  ['a layer that is a link that climbs', [...sound, { name: 'l.tar', type: '2', link: '../../../etc/passwd' }], /not in it/],
  ['a manifest that is a link to itself', [{ name: 'manifest.json', type: '2', link: 'manifest.json' }], /not in it/],
  ['nothing', [], /no image archive/],
  ['no layer', sound, /refers to "l.tar"/],
  ['a name that is not ASCII', [...sound, { name: 'l\u00e9', data: '' }], /ASCII/],
]; // biome-ignore format: one archive a line
for (const [what, entries, reason] of archives)
  test(`refused: ${what}`, async () => refused(file('archive.tar', tar(entries)), 'ArchiveInvalid', reason));

test('refused: what is no archive at all', async () => {
  await refused(file('text', 'hello\n'.repeat(1000)), 'ArchiveInvalid', /tar archive/);
  await refused(file('empty', ''), 'ArchiveInvalid', /./);
  await refused(file('packed-text', gzipSync('hello\n'.repeat(1000))), 'ArchiveInvalid', /tar archive/);
  await refused(file('packed-bomb', gzipSync(Buffer.alloc(80 << 20))), 'ArchiveInvalid', /bomb/);
  await refused(join(board.root, 'nothing-here'), 'LoadFailed', /there is no file/);
  mkdirSync(join(board.root, 'directory'));
  await refused(join(board.root, 'directory'), 'ArchiveInvalid', /no image archive/);
  const fifo = join(board.root, 'fifo');
  execFileSync('mkfifo', [fifo]);
  await refused(fifo, 'LoadFailed', /neither a file nor a directory/);
});

test('an image for other hardware says which, and which this is', async () => {
  const other = hostArch === 'amd64' ? 'arm64' : 'amd64';
  for (const format of ['oci', 'docker'] as const)
    await refused(
      await board.archive([[{ name: 'f' }]], { arch: other, format }),
      'WrongPlatform',
      new RegExp(`is for linux/${other}, this board is linux/${hostArch}`),
    );
});

test('T-24: an image whose user wraps around is refused', async () => {
  const archive = await board.archive([[{ name: 'f' }]], { config: { User: '4294967296' } });
  await refused(archive, 'ArchiveInvalid', /config\.User/);
});

test('an archive compressed as a whole is loaded, and its plain copy is gone', async () => {
  const plain = readFileSync(await board.archive([[{ name: 'f', data: 'x' }]], { name: 'whole' }));
  for (const [name, data] of [
    ['a.tar.gz', gzipSync(plain)],
    ['a.tar.zst', zstdCompressSync(plain)],
  ] as const) {
    const [loaded] = await board.images.load(file(name, data));
    assert.deepEqual(loaded!.refs, ['docker.io/library/whole:latest']);
    assert.deepEqual(board.onDisk().tmp, []);
    await board.images.remove('whole', NO_NEED);
  }
});

test('a bad name is refused before anything is unpacked; one name does not fit several images', async () => {
  const archive = await board.archive([[{ name: 'f' }]]);
  await assert.rejects(board.images.load(archive, { name: 'Not A Name' }), { code: 'InvalidImageName' });
  const unnamed = await board.archive([[{ name: 'f' }]], { name: '@@@' });
  await refused(unnamed, 'ArchiveInvalid', /give it one \(edgepod image load --name NAME\)/);
  const [loaded] = await board.images.load(unnamed, { name: 'given:2' });
  assert.deepEqual(loaded!.refs, ['docker.io/library/given:2']);
  await board.images.remove('given:2', NO_NEED);
});
