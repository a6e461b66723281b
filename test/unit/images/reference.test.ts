import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { familiar, normalise, parseReference } from '../../../src/images/reference.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('image references', () => {
  const spellings: [string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.25', 'docker.io/library/nginx:1.25'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['docker.io/library/nginx:latest', 'docker.io/library/nginx:latest'],
    ['user/app', 'docker.io/user/app:latest'],
    ['user/app/part:v1', 'docker.io/user/app/part:v1'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['registry.example:5000/a/b:1.0', 'registry.example:5000/a/b:1.0'],
    ['registry.example/app', 'registry.example/app:latest'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx:1.25@${digest}`, `docker.io/library/nginx@${digest}`],
    ['a__b/c--d/e.f:T_a-g.1', 'docker.io/a__b/c--d/e.f:T_a-g.1'],
  ];
  for (const [written, stored] of spellings) {
    test(`${written} is ${stored}`, () => {
      assert.equal(normalise(written), stored);
      assert.equal(normalise(stored), stored, 'normalising twice changes nothing');
    });
  }

  const refused: [string, RegExp][] = [
    ['', /1 to 512 characters/],
    ['a'.repeat(600), /1 to 512 characters/],
    ['Nginx', /lower-case/],
    ['nginx:', /"" is not a tag/],
    ['nginx:a b', /is not a tag/],
    [`nginx:${'t'.repeat(129)}`, /is not a tag/],
    ['nginx@sha256:abc', /digest must be sha256/],
    [`nginx@${digest}@${digest}`, /digest must be sha256/],
    ['-bad.example/app', /is not a registry/],
    ['registry.example:99999999/app', /is not a registry/],
    ['a//b', /is not a repository/],
    ['a/', /is not a repository/],
    ['../etc/passwd', /is not a re/],
    ['a/../b', /is not a repository/],
    ['nginx\n', /is not a/],
    ['a_-b', /is not a repository/],
    ['nginx:latest/x', /is not a/],
  ];
  for (const [written, reason] of refused) {
    test(`${JSON.stringify(written.slice(0, 40))} is refused`, () => {
      assert.throws(() => parseReference(written), { name: 'ImageError', code: 'InvalidImageName', message: reason });
    });
  }

  test('familiar names leave out what is understood', () => {
    assert.equal(familiar('docker.io/library/nginx:latest'), 'nginx:latest');
    assert.equal(familiar('docker.io/user/app:1'), 'user/app:1');
    assert.equal(familiar('localhost/app:1'), 'localhost/app:1');
  });
});
