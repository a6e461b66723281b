import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilityNames } from '../../../src/runtime/features.ts';
import { parseMountPoints } from '../../../src/runtime/mounts.ts';

test('mount points in the order of the file, octal escapes decoded', () => {
  const text = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /run rw,nosuid - tmpfs tmpfs rw
31 30 0:26 / /run/with\\040blank\\134x rw - tmpfs tmpfs rw
32 30 0:27 / /run/größe rw - tmpfs tmpfs rw
`;
  assert.deepEqual(parseMountPoints(text), ['/', '/run', '/run/with blank\\x', '/run/größe']);
});

test('capability names of a set', () => {
  assert.deepEqual(capabilityNames('0'), []);
  assert.deepEqual(capabilityNames('0000000000000021'), ['CHOWN', 'KILL']);
  assert.equal(capabilityNames('000001ffffffffff').length, 41);
});
