/** The life of images on a board: shared layers, removal, interruption, loss of the database. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Hardware } from '../../../src/images/hardware.ts';
import type { StoredImage } from '../../../src/images/image-repo.ts';
import { openStore } from '../../../src/store/store.ts';
import { buildTinyImage } from '../../images/tiny.ts';
import { ImageBoard, NO_NEED, unpackerPath } from './image-board.ts';

let board: ImageBoard;
beforeEach(() => {
  board = new ImageBoard();
});
afterEach(() => board.close());

const base = [{ name: 'base', data: 'shared' }];

test('policies: a loaded image is had whatever the policy, another one is not', async () => {
  for (const [policy, code] of [
    ['Always', 'ErrImagePull'],
    ['IfNotPresent', 'ErrImagePull'],
    ['Never', 'ErrImageNeverPull'],
  ] as const)
    await assert.rejects(board.images.ensure('web:1', policy), { code, message: /"web:1"/ });
  await assert.rejects(board.images.ensure('Web:1', 'Never'), { code: 'InvalidImageName' });
  await board.images.load(await board.archive([base], { name: 'web:1', config: { Cmd: ['/run'], User: '7' } }));
  for (const policy of ['Always', 'IfNotPresent', 'Never'] as const) {
    const image = await board.images.ensure('web:1', policy);
    assert.equal(image.ref, 'docker.io/library/web:1');
    assert.deepEqual([image.config.cmd, image.config.user], [['/run'], '7']);
    assert.ok(existsSync(join(image.lowerDirs[0]!, 'base')));
  }
  await assert.rejects(board.images.ensure('web:2', 'Never'), { code: 'ErrImageNeverPull' });
});

test('an image is found by the digest of its manifest, too', async () => {
  await board.images.load(await board.archive([base], { name: 'web:1' }));
  const digest = board.store.images.list()[0]!.refs.find((ref) => ref.includes('@'))!;
  assert.match(digest, /^docker\.io\/library\/web@sha256:/);
  assert.equal((await board.images.ensure(digest, 'Always')).ref, digest);
  assert.deepEqual(board.images.list()[0]!.refs, ['docker.io/library/web:1'], 'lists show names');
});

test('layers are unpacked once, and stay until the last image that has them is removed', async () => {
  const one = await board.archive([base, [{ name: 'one' }]], { name: 'one' });
  const two = await board.archive([base, [{ name: 'two' }]], { name: 'two', compress: 'zstd' });
  const lines: string[] = [];
  const [first] = await board.images.load(one, { progress: (line) => lines.push(line) });
  const [second] = await board.images.load(two, { progress: (line) => lines.push(line) });
  assert.deepEqual([first!.layersNew, first!.layersShared, second!.layersNew, second!.layersShared], [2, 0, 1, 1]);
  assert.equal(lines.length, 4);
  assert.match(lines[0]!, /^layer 1 of 2: unpacking \d/);
  assert.equal(lines[2], 'layer 1 of 2: already here');
  const [again] = await board.images.load(one);
  assert.deepEqual([again!.layersNew, again!.id], [0, first!.id]);
  assert.equal(board.onDisk().layers.length, 3);

  assert.deepEqual(await board.images.remove('one', NO_NEED), {
    untagged: ['docker.io/library/one:latest'],
    removed: true,
  });
  assert.equal(board.onDisk().layers.length, 2);
  assert.ok(existsSync(join((await board.layersOf('two'))[0]!, 'base')));
  await board.images.remove(second!.id.slice(7, 19), NO_NEED);
  assert.deepEqual(board.onDisk().layers, []);
  assert.deepEqual(board.store.images.layers(), []);
  await assert.rejects(board.images.remove('one', NO_NEED), { code: 'NoSuchImage', message: /edgepod image list/ });
});

test('an image a pod needs keeps its last name; one name of several can go', async () => {
  const archive = await board.archive([base], { name: 'a:1' });
  const id = (await board.images.load(archive))[0]!.id;
  await board.images.load(archive, { name: 'b:1' });
  const inUse = { ...NO_NEED, ids: new Set([id]) };
  assert.deepEqual(await board.images.remove('a:1', inUse), { untagged: ['docker.io/library/a:1'], removed: false });
  await assert.rejects(board.images.remove('b:1', inUse), { code: 'ImageInUse', message: /delete the pod first/ });
  await assert.rejects(board.images.remove(id, inUse), { code: 'ImageInUse' });
  assert.ok(await board.images.ensure('b:1', 'Never'));
});

test('a name by which a pod will look for its image stays, whether the pod has begun or not', async () => {
  await board.images.load(await board.archive([base], { name: 'wanted:1' }));
  await board.images.load(await board.archive([base], { name: 'other:1' }));
  const needed = { ...NO_NEED, refs: new Set(['docker.io/library/wanted:1']) };
  await assert.rejects(board.images.remove('wanted:1', needed), {
    code: 'ImageInUse',
    message: /delete the pod first/,
  });
  const [{ id }] = board.images.list().filter(({ refs }) => refs.includes('docker.io/library/wanted:1')) as [
    StoredImage,
  ];
  await assert.rejects(board.images.remove(id, needed), { code: 'ImageInUse' });
  await board.images.remove('other:1', needed);
  await board.images.remove('wanted:1', NO_NEED);
});

test('a newer image takes the name; the older one stays for who uses it, then is garbage', async () => {
  const [older] = await board.images.load(await board.archive([base, [{ name: 'old' }]], { name: 'app' }));
  const [newer] = await board.images.load(await board.archive([base, [{ name: 'new' }]], { name: 'app' }));
  assert.equal((await board.images.ensure('app', 'Never')).id, newer!.id);
  assert.deepEqual(await board.images.removeUnused(() => undefined), []);
  const unnamed = (images: StoredImage[]) => images.find(({ refs }) => !refs.some((ref) => !ref.includes('@')));
  assert.deepEqual(await board.images.removeUnused(unnamed), [older!.id]);
  assert.equal(board.onDisk().layers.length, 2);
  assert.ok(await board.images.ensure('app', 'Never'));
});

test('a lost database: images come back from what lies beside their layers', async () => {
  await board.images.load(await board.archive([base], { name: 'kept' }));
  await board.images.load(await board.archive([[{ name: 'x' }]], { name: 'removed' }));
  await board.images.load(await board.archive([[{ name: 'y' }]], { name: 'gone' }));
  const before = await board.images.ensure('kept', 'Never');
  await board.images.remove('removed', NO_NEED);
  const [gone] = await board.layersOf('gone');
  board.store.close();
  for (const file of readdirSync(board.root).filter((name) => name.startsWith('edgepod.db')))
    rmSync(join(board.root, file));
  rmSync(join(gone!, '..'), { recursive: true });
  writeFileSync(join(board.dir, 'records', `${'0'.repeat(64)}.json`), '{"config":"'); // cut short by a power failure

  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  board.store = openStore(join(board.root, 'edgepod.db'), { log, now: () => new Date() });
  board.images = board.open();
  assert.deepEqual(await board.images.ensure('kept', 'Never'), before);
  for (const ref of ['removed', 'gone'])
    await assert.rejects(board.images.ensure(ref, 'Never'), { code: 'ErrImageNeverPull' });
});

test('a layer missing on disk is said so, and loading again repairs it', async () => {
  const archive = await board.archive([base], { name: 'web' });
  await board.images.load(archive);
  const [dir] = await board.layersOf('web');
  rmSync(join(dir!, '..'), { recursive: true });
  await assert.rejects(board.images.ensure('web', 'Always'), { code: 'ImageInspectError', message: /load it again/ });
  await board.images.load(archive);
  assert.ok(existsSync(join((await board.layersOf('web'))[0]!, 'base')));
});

test('a 32-bit ARM image: loaded where the processor runs it, refused where it does not, a card that moved included', async () => {
  const refusal = {
    code: 'WrongPlatform',
    message: /is for linux\/arm, .* linux\/arm64 and its processor runs no 32-bit/,
  };
  const arm64 = new ImageBoard(new Hardware('arm64', async () => true));
  try {
    const archive = await arm64.archive([[{ name: 'f' }]], { arch: 'arm', name: 'old' });
    const wide = arm64.open(new Hardware('arm64', async () => false));
    await assert.rejects(wide.load(archive), refusal);
    assert.deepEqual(arm64.onDisk(), { layers: [], tmp: [] });
    await arm64.images.load(archive);
    assert.equal((await arm64.images.ensure('old', 'Never')).architecture, 'arm');
    await assert.rejects(wide.ensure('old', 'Never'), refusal);
    await assert.rejects(arm64.open(new Hardware('amd64', async () => true)).load(archive), {
      message: /is for linux\/arm, this board is linux\/amd64$/,
    });
  } finally {
    arm64.close();
  }
});

/** A process that loads `archive` into the board, as the command line does. */
function loader(archive: string): ChildProcess {
  const script = `
    import { Hardware } from '${join(import.meta.dirname, '../../../src/images/hardware.ts')}';
    import { ImageStore } from '${join(import.meta.dirname, '../../../src/images/image-store.ts')}';
    import { Unpacker } from '${join(import.meta.dirname, '../../../src/images/unpacker.ts')}';
    import { openStore } from '${join(import.meta.dirname, '../../../src/store/store.ts')}';
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const store = openStore(process.argv[1], { log, now: () => new Date() });
    const unpacker = new Unpacker(process.argv[3]);
    const hardware = new Hardware(process.arch === 'arm64' ? 'arm64' : 'amd64', async () => false);
    const images = new ImageStore({ dir: process.argv[2], repo: store.images, unpacker, hardware });
    await images.load(process.argv[4]);
  `;
  const args = [
    '--input-type=module-typescript',
    '-e',
    script,
    join(board.root, 'edgepod.db'),
    board.dir,
    unpackerPath,
    archive,
  ];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

test('kill -9 during a load: nothing is visible, nothing keeps running, the next load works and cleans up', async () => {
  const archive = await board.archive([[{ name: 'big', data: randomBytes(64 << 20) }]], { name: 'big' });
  const child = loader(archive);
  const ended = once(child, 'exit');
  const tmp = join(board.dir, 'tmp');
  while (readdirSync(tmp).length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill('SIGKILL');
  assert.deepEqual(await ended, [null, 'SIGKILL']);

  assert.deepEqual(board.onDisk().layers, []);
  assert.deepEqual(board.images.list(), []);
  await assert.rejects(board.images.ensure('big', 'Never'), { code: 'ErrImageNeverPull' });
  await board.images.load(archive); // waits for nobody: the dead process's lock is gone
  assert.deepEqual(board.onDisk().tmp, []);
  assert.equal(board.onDisk().layers.length, 1);
});

test('what an interrupted load left is swept by the next', async () => {
  mkdirSync(join(board.dir, 'tmp/left/over'), { recursive: true });
  mkdirSync(join(board.dir, 'layers', 'f'.repeat(64), 'fs'), { recursive: true });
  await board.images.load(await board.archive([base]));
  assert.deepEqual(board.onDisk().tmp, []);
  assert.equal(board.onDisk().layers.length, 1);
});

test('two loads at once, of two processes and images with a common layer, both succeed', async () => {
  const one = await board.archive([base, [{ name: 'one' }]], { name: 'one' });
  const two = await board.archive([base, [{ name: 'two' }]], { name: 'two' });
  const codes = await Promise.all([loader(one), loader(two)].map(async (child) => (await once(child, 'exit'))[0]));
  assert.deepEqual(codes, [0, 0]);
  assert.deepEqual(
    board.images
      .list()
      .flatMap(({ refs }) => refs)
      .sort(),
    ['docker.io/library/one:latest', 'docker.io/library/two:latest'],
  );
  assert.equal(board.onDisk().layers.length, 3);
});

test('the agent is told of changes made by another process', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = board.images.onChange(resolve);
  const child = loader(await board.archive([base], { name: 'web' }));
  await promise;
  await once(child, 'exit');
  stop();
  assert.ok(await board.images.ensure('web', 'Never'));
});

test('tiny images load in every form', async () => {
  for (const format of ['oci', 'docker'] as const)
    for (const compress of ['gzip', 'zstd', 'none'] as const) {
      const path = await buildTinyImage(board.root, { name: 'tiny:1', files: { 'etc/x': 'y' }, format, compress });
      const [loaded] = await board.images.load(path);
      assert.deepEqual(loaded!.refs, ['docker.io/library/tiny:1'], `${format} ${compress}`);
    }
  assert.equal(board.onDisk().layers.length, 1);
});
