/** Images made of real packages, and the archives other people's tools make of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { demoImage } from '../../images/demo-images.ts';
import { ImageBoard } from './image-board.ts';

let board: ImageBoard;
before(() => {
  board = new ImageBoard();
});
after(() => board.close());

const has = (tool: string) => {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Runs `command` in the image's files, in a mount namespace that ends with it. */
async function inImage(ref: string, ...command: string[]): Promise<string> {
  const { lowerDirs } = await board.images.ensure(ref, 'Never');
  const work = join(board.root, 'run');
  mkdirSync(work, { recursive: true });
  // An upper directory on a file system of its own: overlayfs on overlayfs (in CI) has no upper directories.
  const script = `mount -t tmpfs tmpfs "$1" && cd "$1" && mkdir upper work root && \
    mount -t overlay overlay -o "lowerdir=$2,upperdir=upper,workdir=work" root && shift 2 && exec chroot root "$@"`;
  const args = ['-m', 'sh', '-c', script, 'sh', work, lowerDirs.join(':'), ...command];
  return execFileSync('unshare', args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('debian and nginx share the debian layer and run', async () => {
  const [debian] = await board.images.load(await demoImage('debian'));
  const [nginx] = await board.images.load(await demoImage('nginx'));
  assert.deepEqual(debian!.refs, ['docker.io/library/debian:latest']);
  assert.deepEqual([nginx!.layersNew, nginx!.layersShared], [1, 1]);
  const { config } = await board.images.ensure('nginx', 'Never');
  assert.deepEqual(config.cmd, ['nginx', '-g', 'daemon off;']);
  assert.equal(config.stopSignal, 'SIGQUIT');
  assert.match(await inImage('debian', '/bin/sh', '-c', 'ls /bin/sh && id -un'), /\/bin\/sh\nroot\n/);
  assert.match(
    await inImage('nginx', '/bin/sh', '-c', 'nginx -V 2>&1; cat /usr/share/nginx/html/index.html'),
    /nginx version: .*Welcome/s,
  );
});

test('the same image as docker-archive, zstd layout and compressed archive, made by skopeo', async (t) => {
  if (!has('skopeo')) return t.skip('skopeo is not installed');
  const source = `oci-archive:${await demoImage('nginx')}`;
  const [original] = await board.images.load(await demoImage('nginx'));
  const copy = (...args: string[]) =>
    execFileSync('skopeo', ['copy', '-q', '--insecure-policy', ...args], { stdio: 'pipe' });
  const docker = join(board.root, 'docker.tar');
  copy(source, `docker-archive:${docker}:example.org/team/nginx:docker`);
  const packed = `${docker}.gz`;
  await pipeline(createReadStream(docker), createGzip({ level: 1 }), createWriteStream(packed));
  const layout = join(board.root, 'layout');
  copy('--dest-compress-format', 'zstd', '--dest-compress', source, `oci:${layout}:nginx:zstd`);
  for (const [path, ref] of [
    [docker, 'example.org/team/nginx:docker'],
    [packed, 'example.org/team/nginx:docker'],
    [layout, 'docker.io/library/nginx:zstd'],
  ] as const) {
    const [loaded] = await board.images.load(path);
    assert.deepEqual([loaded!.refs, loaded!.layersNew, loaded!.layersShared], [[ref], 0, 2], path);
    assert.equal((await board.images.ensure(ref, 'Never')).lowerDirs.length, original!.layersShared);
  }
});
