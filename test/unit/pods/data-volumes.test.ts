/** Volumes of the agent's own files, on a real file system. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Volume } from '../../../src/manifest/types/volumes.ts';
import { writeAtomically } from '../../../src/pods/volumes/atomic-writer.ts';
import { type Payload, volumePayload } from '../../../src/pods/volumes/payload.ts';
import { usesObject } from '../../../src/pods/volumes/uses.ts';
import { pod } from './fixtures.ts';

const root = await mkdtemp(join(tmpdir(), 'edgepod-data-'));
after(() => rm(root, { recursive: true, force: true }));
const now = new Date('2026-05-01T12:00:00Z');
const files = (texts: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(texts).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

describe('atomic writer', () => {
  const volume = join(root, 'volume');

  test('files appear through ..data, deep ones too; the same again writes nothing', async () => {
    await mkdir(volume);
    assert.equal(await writeAtomically(volume, files({ a: '1', 'd/e/f': '2' }, 0o400), { now }), true);
    assert.equal(await readFile(join(volume, 'd/e/f'), 'utf8'), '2');
    assert.equal(await readlink(join(volume, 'a')), '..data/a');
    assert.match(await readlink(join(volume, '..data')), /^\.\.2026_05_01_12_00_00\.[0-9a-f]{12}$/);
    assert.equal((await stat(join(volume, 'a'))).mode & 0o7777, 0o400);
    assert.equal(await writeAtomically(volume, files({ a: '1', 'd/e/f': '2' }, 0o400), { now }), false);
  });

  test('an update exchanges everything and leaves nothing of the old', async () => {
    assert.equal(await writeAtomically(volume, files({ a: '3', g: '4' }), { now }), true);
    const current = await readlink(join(volume, '..data'));
    assert.deepEqual((await readdir(volume)).sort(), [current, '..data', 'a', 'g'].sort());
    assert.equal(await readFile(join(volume, 'a'), 'utf8'), '3');
  });

  test('what a power cut or a container left in the way is replaced, never followed (CVE-2025-9566)', async () => {
    const outside = join(root, 'outside');
    await writeFile(outside, 'untouched');
    await symlink(outside, join(volume, '..data_tmp'));
    await mkdir(join(volume, '..2020_01_01_00_00_00.dead'));
    await rm(join(volume, 'a'));
    await symlink(outside, join(volume, 'stale'));
    assert.equal(await writeAtomically(volume, files({ a: '5' }), { now }), true);
    assert.equal(await readFile(outside, 'utf8'), 'untouched');
    assert.deepEqual((await readdir(volume)).length, 3);
  });

  test('a volume that became a link is refused', async () => {
    await symlink(volume, join(root, 'link'));
    await assert.rejects(writeAtomically(join(root, 'link'), files({ a: 'x' }), { now }), /is not a directory/);
  });
});

const objects = {
  configMap: (name: string) =>
    name === 'cm'
      ? {
          apiVersion: 'v1' as const,
          kind: 'ConfigMap' as const,
          metadata: { name, namespace: 'default' },
          data: { text: 'hello' },
          binaryData: { raw: 'AP8=' },
          immutable: false,
        }
      : undefined,
  secret: () => undefined,
};
const input = {
  pod: { ...pod('p'), metadata: { name: 'p', namespace: 'default', labels: { app: 'web' } } },
  objects,
  facts: { uid: 'u', nodeName: 'n', allocatable: { cpu: '4', memory: '1Gi', 'ephemeral-storage': '8Gi' } },
};
const source = { name: 'cm', optional: false };
const text = (payload: Payload) =>
  Object.fromEntries(
    [...payload].map(([path, { data, mode }]) => [path, `${Buffer.from(data).toString('hex')} ${mode.toString(8)}`]),
  );

describe('payload', () => {
  test('all keys, binary ones too; or the items asked for, with their modes', () => {
    const whole: Volume = { name: 'v', configMap: { ...source, defaultMode: 0o644 } };
    assert.deepEqual(text(volumePayload(whole, input)), { text: '68656c6c6f 644', raw: '00ff 644' });
    const items = [{ key: 'raw', path: 'd/r', mode: 0o400 }];
    const some: Volume = { name: 'v', configMap: { ...source, items, defaultMode: 0o644 } };
    assert.deepEqual(text(volumePayload(some, input)), { 'd/r': '00ff 400' });
  });

  test('projected: the sources side by side; an optional one that is missing adds nothing', () => {
    const sources = [
      { configMap: { ...source, items: [{ key: 'text', path: 't' }] } },
      { secret: { name: 'no', optional: true } },
      { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ];
    const payload = volumePayload({ name: 'v', projected: { sources, defaultMode: 0o600 } }, input);
    assert.deepEqual(text(payload), { t: '68656c6c6f 600', labels: `${Buffer.from('app="web"').toString('hex')} 600` });
  });

  const missing: [Volume, string][] = [
    [{ name: 'v', configMap: { name: 'no', optional: false, defaultMode: 0o644 } }, 'configmap "no" not found'],
    [
      { name: 'v', configMap: { ...source, items: [{ key: 'no', path: 'x' }], defaultMode: 0o644 } },
      'configmap "cm" references non-existent config key: no',
    ],
    [{ name: 'v', secret: { secretName: 'no', optional: false, defaultMode: 0o644 } }, 'secret "no" not found'],
  ];
  for (const [volume, why] of missing) {
    test(why, () => {
      const message = `MountVolume.SetUp failed for volume "v" : ${why}`;
      assert.throws(() => volumePayload(volume, input), { message, code: 'E_VOLUME_SET_UP' });
    });
  }
});

test('which objects a pod uses', () => {
  const object = pod('p', {
    volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 's', optional: false } }], defaultMode: 0o644 } }],
  });
  assert.equal(usesObject(object, 'secrets', 's'), true);
  assert.equal(usesObject(object, 'configmaps', 's'), false);
});
