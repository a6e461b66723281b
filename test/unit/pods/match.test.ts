import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { match } from '../../../src/pods/adoption/match.ts';
import { newRecord } from '../../../src/pods/changes/change.ts';
import { container, desired, pod } from './fixtures.ts';

describe('launches that are found at start', () => {
  const now = { wall: '2026-01-01T01:00:00.000Z', mono: 9_000_000, bootId: 'boot-1' };
  const record = newRecord(desired(pod('site', { containers: [container('web'), container('side')] })), {
    uid: 'u',
    bootId: 'boot-1',
    now: new Date(now.wall),
    mono: 0,
  });

  test('a launch the living sandbox never heard of stays to be carried out', () => {
    const launched = { ...record, containers: { ...record.containers, web: { launched: 0 } } };
    const { pods } = match({
      records: [launched],
      found: [{ uid: 'u', alive: true, containers: [] }],
      desired: [],
      tried: () => true,
      now,
    });
    assert.deepEqual(pods[0]?.record.containers.web, { launched: 0 });
  });

  const endedBefore = { attempt: 0, exitCode: 1, signal: 0, reason: 'Error', finishedMono: 0 };
  const untried = { ...record, containers: { web: { launched: 0 }, side: { launched: 1, ended: endedBefore } } };
  const outcomes = [
    { what: 'never tried, of this boot: it may be started', boot: now.bootId, tried: false, web: -1, side: 0 },
    { what: 'tried: it may have run', boot: now.bootId, tried: true, web: 0, side: 1 },
    { what: 'of another boot: nothing is known', boot: 'before', tried: false, web: 0, side: 1 },
  ];
  for (const { what, boot, tried, web, side } of outcomes)
    test(`a launch whose sandbox is gone, ${what}`, () => {
      for (const found of [[], [{ uid: 'u', alive: false, containers: [] }]]) {
        const records = [{ ...untried, bootId: boot }];
        const [pod] = match({ records, found, desired: [], tried: () => tried, now }).pods;
        assert.deepEqual([pod?.record.containers.web?.launched, pod?.record.containers.side?.launched], [web, side]);
        assert.equal(pod?.record.containers.web?.ended?.reason, web < 0 ? undefined : 'ContainerStatusUnknown');
      }
    });
});
