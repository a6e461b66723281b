/** The examples and the page about them belong together. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readManifests } from '../../src/cli/manifests.ts';

const dir = join(import.meta.dirname, '../fixtures/examples');
const page = readFileSync(join(dir, 'EXAMPLES.md'), 'utf8');
const files = globSync('*/*.yaml', { cwd: dir }).sort();

test('every manifest is valid, without a warning', () => {
  for (const file of files)
    for (const { label, warnings } of readManifests(join(dir, file)))
      assert.deepEqual(warnings, [], `${file}: ${label}`);
});

test('every file the page names is there, and every manifest is on the page', () => {
  const named = new Set([...page.matchAll(/[a-z-]+\/[a-z-]+\.yaml/g)].map(([path]) => path));
  assert.deepEqual([...named].sort(), files);
});
