import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedEnough, type Figures } from '../../../src/node/change.ts';

const rules = { memory: { share: 0.1, floor: 1000 } };
const ignore = new Set(['cpuUsec']);

for (const [name, last, next, expected] of [
  ['the first figures', undefined, { memory: 1 }, true],
  ['nothing moved', { memory: 50_000 }, { memory: 50_000 }, false],
  ['less than the floor', { memory: 100 }, { memory: 1000 }, false],
  ['less than the share', { memory: 100_000 }, { memory: 105_000 }, false],
  ['more than both', { memory: 100_000 }, { memory: 120_000 }, true],
  ['an ignored counter', { cpuUsec: 1, memory: 1 }, { cpuUsec: 9_999_999, memory: 1 }, false],
  ['a pod appeared', { pods: [] }, { pods: [{ name: 'a' }] }, true],
  ['a pod was replaced by another', { pods: [{ name: 'a' }] }, { pods: [{ name: 'b' }] }, true],
  ['a figure appeared', {}, { limit: 1 }, true],
  ['deep inside', { a: { memory: 1e6 } }, { a: { memory: 2e6 } }, true],
] as [string, Figures | undefined, Figures, boolean][]) {
  test(`changed enough: ${name}`, () => assert.equal(changedEnough(last, next, rules, ignore), expected));
}
