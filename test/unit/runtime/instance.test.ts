import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { instanceNames, linkName, podCgroup } from '../../../src/runtime/instance.ts';

describe('instance names', () => {
  test('the default data directory has the plain names', () => {
    assert.deepEqual(instanceNames('/var/lib/edgepod'), {
      bridge: 'edgepod0',
      cgroupRoot: 'edgepod',
      table: 'edgepod',
    });
  });

  test('another directory gets a stable hash, and no two share one', () => {
    const one = instanceNames('/tmp/one');
    assert.match(one.bridge, /^edgepod-[0-9a-f]{6}$/);
    assert.ok(one.bridge.length <= 15, 'an interface name has at most 15 characters');
    assert.deepEqual(instanceNames('/tmp/one'), one);
    assert.notEqual(instanceNames('/tmp/two').bridge, one.bridge);
  });

  test('link names fit an interface and differ by pod and instance', () => {
    const name = linkName('edgepod0', '3f8c1d0e-0000-4000-8000-000000000001');
    assert.match(name, /^veth[0-9a-f]{10}$/);
    assert.notEqual(name, linkName('edgepod0', '3f8c1d0e-0000-4000-8000-000000000002'));
    assert.notEqual(name, linkName('edgepod-123456', '3f8c1d0e-0000-4000-8000-000000000001'));
  });

  test('pod cgroup', () => assert.equal(podCgroup('edgepod', 'u1'), 'edgepod/podu1'));
});
