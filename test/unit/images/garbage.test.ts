import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNeeded, removable, type Sighting } from '../../../src/images/garbage.ts';
import type { StoredImage } from '../../../src/images/image-repo.ts';

const image = (id: string, refs: string[], loadedAt = '2026-01-01'): StoredImage => ({
  id,
  refs,
  loadedAt,
  config: '{}',
  architecture: 'arm64',
  os: 'linux',
  size: 1,
  layers: [],
});
const needed = (refs: string[] = [], ids: string[] = [], nameless = false) => ({
  refs: new Set(refs),
  ids: new Set(ids),
  nameless,
});

test('an image is needed by name, by id, and without a name where nobody can tell', () => {
  const cases: [boolean, StoredImage, ReturnType<typeof needed>][] = [
    [true, image('a', ['x:1', 'y:1']), needed(['y:1'])],
    [true, image('a', ['x:1']), needed([], ['a'])],
    [false, image('a', ['x:1']), needed(['x:2'], ['b'])],
    [true, image('a', []), needed([], [], true)],
    [true, image('a', ['x@sha256:0']), needed([], [], true)],
    [false, image('a', ['x:1']), needed([], [], true)],
  ];
  for (const [expected, stored, needs] of cases) assert.equal(isNeeded(stored, needs), expected);
});

test('what is removable: unneeded and two minutes old, the longest unused first', () => {
  const images = ['used-late', 'never-2', 'used-early', 'needed', 'never-1', 'fresh', 'unseen'].map((id, at) =>
    image(id, [`${id}:1`], `2026-01-0${9 - at}`),
  );
  const sightings = new Map<string, Sighting>([
    ['used-late', { firstSeen: 0, lastUsed: 90_000 }],
    ['used-early', { firstSeen: 0, lastUsed: 50_000 }],
    ['never-1', { firstSeen: 0, lastUsed: 0 }],
    ['never-2', { firstSeen: 0, lastUsed: 0 }],
    ['needed', { firstSeen: 0, lastUsed: 120_000 }],
    ['fresh', { firstSeen: 1, lastUsed: 0 }],
  ]);
  const found = removable(images, { needed: needed(['needed:1']), sightings, now: 120_000 });
  assert.deepEqual(
    found.map(({ id }) => id),
    ['never-1', 'never-2', 'used-early', 'used-late'],
  );
});
