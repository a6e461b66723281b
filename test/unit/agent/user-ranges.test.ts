import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipLeases } from '../../../src/agent/pods/records.ts';
import { userRanges } from '../../../src/agent/pods/user-ranges.ts';
import { tempStore } from '../store/temp-store.ts';

test('one range a pod, the same until it is released; what runs keeps its own; the last one is the last', (t) => {
  const table = tempStore(t).leases;
  const base = 2 ** 31 - 3 * 65_536;
  const ranges = userRanges(table, base);
  const leases = ipLeases(table, '10.0.0.0/24', ranges);
  ranges.claim('running', base);
  assert.equal(ranges.lease('running'), base);
  assert.equal(ranges.lease('a'), base + 65_536);
  assert.equal(ranges.lease('a'), base + 65_536);
  assert.equal(ranges.lease('b'), base + 2 * 65_536);
  assert.throws(() => ranges.lease('c'), { code: 'E_NO_USERS', message: /see userNamespaces\.firstId/ });
  leases.release('a');
  assert.equal(ranges.lease('c'), base + 65_536);
  leases.keepOnly?.(new Set(['c']));
  assert.equal(ranges.lease('d'), base);
});
