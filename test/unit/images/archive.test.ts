import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readArchive } from '../../../src/images/archive.ts';
import { ArchiveFiles, sha256 } from '../../../src/images/archive-files.ts';
import type { IndexEntry } from '../../../src/images/unpacker.ts';

const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';
let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'edgepod-archive-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** An OCI layout in a directory of its own: `manifests` of the index are made by `build`, which can store blobs. */
async function layout(build: (blob: (value: unknown) => string) => object[]): Promise<ArchiveFiles> {
  const root = mkdtempSync(join(dir, 'layout-'));
  mkdirSync(join(root, 'blobs/sha256'), { recursive: true });
  const blob = (value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    writeFileSync(join(root, 'blobs/sha256', sha256(text).slice(7)), text);
    return sha256(text);
  };
  writeFileSync(join(root, 'oci-layout'), '{}');
  writeFileSync(join(root, 'index.json'), JSON.stringify({ manifests: build(blob) }));
  return ArchiveFiles.ofDirectory(root);
}

/** Digest of a manifest of one layer. */
function manifest(
  blob: (value: unknown) => string,
  { config = '{}', layers }: { config?: string; layers?: object[] } = {},
) {
  return blob({
    config: { digest: blob(config) },
    layers: layers ?? [{ mediaType: layerType, digest: blob('layer') }],
  });
}

describe('OCI layouts', () => {
  test('names come from annotations, the full one first', async () => {
    const files = await layout((blob) => [
      { digest: manifest(blob), annotations: { 'org.opencontainers.image.ref.name': 'nginx' } },
      {
        digest: manifest(blob),
        annotations: { 'io.containerd.image.name': 'docker.io/a/b:1', 'org.opencontainers.image.ref.name': '1' },
      },
      { digest: manifest(blob) },
    ]);
    const { images } = await readArchive(files, 'arm64');
    assert.deepEqual(
      images.map(({ names }) => names),
      [['nginx'], ['docker.io/a/b:1'], []],
    );
    assert.equal(images[0]!.layers[0]!.digest, sha256('layer'));
    assert.equal(images[0]!.layers[0]!.size, 5);
  });

  test('an image for several platforms: ours is taken, the others need not be there', async () => {
    const files = await layout((blob) => [
      {
        annotations: { 'org.opencontainers.image.ref.name': 'multi' },
        digest: blob({
          manifests: [
            { digest: sha256('not in the archive'), platform: { os: 'linux', architecture: 'amd64' } },
            { digest: sha256('an attestation'), platform: { os: 'unknown', architecture: 'unknown' } },
            { digest: manifest(blob), platform: { os: 'linux', architecture: 'arm64' } },
          ],
        }),
      },
    ]);
    const { images, otherPlatforms } = await readArchive(files, 'arm64');
    assert.deepEqual(
      [images.length, images[0]!.names, otherPlatforms],
      [1, ['multi'], [{ os: 'linux', architecture: 'amd64' }]],
    );
  });

  const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant });
  const several = (platforms: object[], there: (blob: (value: unknown) => string) => string, at: number) =>
    layout((blob) => [
      {
        annotations: { 'org.opencontainers.image.ref.name': 'multi' },
        digest: blob({
          manifests: platforms.map((platform, index) => ({
            digest: index === at ? there(blob) : sha256(`not in the archive ${index}`),
            platform,
          })),
        }),
      },
    ]);

  test('32-bit ARM on a 64-bit board: the newest generation, and only where there is no 64-bit image', async () => {
    const only32 = await several([arm('v5'), arm('v7'), arm('v6')], manifest, 1);
    const found = await readArchive(only32, 'arm64');
    assert.equal(found.images.length, 1);
    assert.deepEqual(found.otherPlatforms, [arm('v5'), arm('v6')]);
    const both = await several([arm('v7'), { os: 'linux', architecture: 'arm64', variant: 'v8' }], manifest, 1);
    assert.deepEqual((await readArchive(both, 'arm64')).otherPlatforms, [arm('v7')]);
    assert.deepEqual((await readArchive(only32, 'amd64')).images, []);
  });

  test('a signature or chart among the images is passed over', async () => {
    const files = await layout((blob) => [
      {
        digest: blob({
          config: { digest: blob('{}'), mediaType: 'application/vnd.cncf.helm.config.v1+json' },
          layers: [],
        }),
      },
    ]);
    assert.deepEqual((await readArchive(files, 'arm64')).images, []);
  });

  const refused: [string, (blob: (value: unknown) => string) => object[], RegExp][] = [
    ['a manifest that is not there', () => [{ digest: sha256('x') }], /refers to .* not in it/],
    ['a path for a digest', () => [{ digest: 'sha256:../../../etc/passwd' }], /not a sha256 digest/],
    ['no digest', () => [{}], /not a sha256 digest/],
    ['a manifest without layers', (blob) => [{ digest: blob({ config: { digest: blob('{}') } }) }], /layers/],
    ['an encrypted layer', (blob) => [
      { digest: manifest(blob, { layers: [{ mediaType: `${layerType}+encrypted`, digest: blob('l') }] }) },
    ], /tar\+zstd are supported/],
    ['a manifest that is no object', (blob) => [{ digest: blob('"text"') }], /expected an object/],
    ['a manifest that is no JSON', (blob) => [{ digest: blob('{') }], /not JSON/],
    ['a huge document', (blob) => [{ digest: blob(`"${'x'.repeat(5 << 20)}"`) }], /at most 4194304/],
    ['indexes without end', (blob) => {
      let digest = manifest(blob);
      for (let i = 0; i < 5; i++) digest = blob({ manifests: [{ digest }] });
      return [{ digest }];
    }, /indexes in indexes/],
    ['100 images', (blob) => Array(100).fill({ digest: manifest(blob) }), /more than 64/],
  ]; // biome-ignore format: one refusal a line
  for (const [what, build, reason] of refused)
    test(`${what} is refused`, async () => {
      const files = await layout(build);
      await assert.rejects(readArchive(files, 'arm64'), { code: 'ArchiveInvalid', message: reason });
    });

  test('a manifest or configuration that was changed is refused', async () => {
    const root = mkdtempSync(join(dir, 'changed-'));
    mkdirSync(join(root, 'blobs/sha256'), { recursive: true });
    const digest = sha256('{"config":{}}');
    writeFileSync(join(root, 'blobs/sha256', digest.slice(7)), '{"config":{"x":1}}');
    writeFileSync(join(root, 'oci-layout'), '{}');
    writeFileSync(join(root, 'index.json'), JSON.stringify({ manifests: [{ digest }] }));
    const files = await ArchiveFiles.ofDirectory(root);
    await assert.rejects(readArchive(files, 'arm64'), { message: /expected sha256:/ });
  });

  test('links in a layout directory are not followed', async () => {
    const root = mkdtempSync(join(dir, 'links-'));
    symlinkSync('/etc/passwd', join(root, 'index.json'));
    writeFileSync(join(root, 'oci-layout'), '{}');
    const files = await ArchiveFiles.ofDirectory(root);
    await assert.rejects(readArchive(files, 'arm64'), { message: /no image archive/ });
  });
});

describe('docker archives', () => {
  /** A tar's table of contents over one file that holds all contents back to back. */
  function archive(contents: Record<string, string | { link: string; type?: 'symlink' | 'hardlink' }>): ArchiveFiles {
    const path = join(mkdtempSync(join(dir, 'docker-')), 'archive.tar');
    const index: IndexEntry[] = [];
    let all = '';
    for (const [name, content] of Object.entries(contents)) {
      if (typeof content === 'string') {
        index.push({ name, type: 'file', offset: all.length, size: content.length });
        all += content;
      } else index.push({ name, type: content.type ?? 'symlink', link: content.link, offset: 0, size: 0 });
    }
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, all);
    return ArchiveFiles.ofTar(path, index);
  }
  const manifestOf = (...entries: object[]) => JSON.stringify(entries);

  test('tags, configuration and layers; equal layers may be links', async () => {
    const files = archive({
      'c.json': '{"a":1}',
      'one/layer.tar': 'first',
      'two/layer.tar': { link: '../one/layer.tar' },
      'three/layer.tar': { link: 'two/layer.tar', type: 'hardlink' },
      'manifest.json': manifestOf({
        Config: 'c.json',
        RepoTags: ['a:1', 'b:2'],
        Layers: ['one/layer.tar', 'two/layer.tar', 'three/layer.tar'],
      }),
    });
    const { images } = await readArchive(files, 'arm64');
    assert.deepEqual(images[0]!.names, ['a:1', 'b:2']);
    assert.equal(images[0]!.config, '{"a":1}');
    assert.deepEqual(new Set(images[0]!.layers.map(({ offset, size }) => `${offset}+${size}`)), new Set(['7+5']));
  });

  const refused: [string, Parameters<typeof archive>[0], RegExp][] = [
    ['no manifest', { x: 'y' }, /no image archive/],
    ['a layer that is not there', { c: '{}', 'manifest.json': manifestOf({ Config: 'c', Layers: ['l'] }) }, /refers to "l"/],
    ['a link out of the archive', { c: { link: '../../etc/passwd' }, 'manifest.json': manifestOf({ Config: 'c', Layers: [] }) }, /not in it/],
    ['a link to itself', { c: { link: 'c' }, 'manifest.json': manifestOf({ Config: 'c', Layers: [] }) }, /not in it/],
    ['a configuration that does not match its name', { [`${'0'.repeat(64)}.json`]: '{}', 'manifest.json': manifestOf({ Config: `${'0'.repeat(64)}.json`, Layers: [] }) }, /its name says/],
    ['a manifest that is no list', { 'manifest.json': '{}' }, /must be a list/],
    ['a manifest of nulls', { 'manifest.json': '[null]' }, /expected an object/],
  ]; // biome-ignore format: one refusal a line
  for (const [what, contents, reason] of refused)
    test(`${what} is refused`, async () => {
      await assert.rejects(readArchive(archive(contents), 'arm64'), { code: 'ArchiveInvalid', message: reason });
    });
});
