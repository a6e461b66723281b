import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takes } from '../../../src/client/topics.ts';

for (const [filter, topic, expected] of [
  ['e/devices/a/status/pods/ns/web', 'e/devices/a/status/pods/ns/web', true],
  ['e/devices/a/status/pods/ns/web', 'e/devices/a/status/pods/ns/other', false],
  ['e/devices/+/status/pods/+/web', 'e/devices/a/status/pods/ns/web', true],
  ['e/devices/+/node', 'e/devices/a/presence', false],
  ['e/devices/+', 'e/devices/a/node', false],
  ['e/devices/a/node', 'e/devices/a', false],
] as const)
  test(`${filter} takes ${topic}: ${expected}`, () => assert.equal(takes(filter, topic), expected));
