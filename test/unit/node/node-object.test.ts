import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quickFacts } from '../../../src/node/facts.ts';
import { nodeObject } from '../../../src/node/node-object.ts';

const addresses = (hostIp: string | undefined) =>
  (
    nodeObject({
      device: 'board-7',
      groups: [],
      agentVersion: '0',
      facts: quickFacts(),
      disk: { capacityBytes: 1, availableBytes: 1, inodes: 1, inodesFree: 1 },
      hostIp,
      allocatable: { cpuMilli: 1, memoryBytes: 1, storageBytes: 1, pods: 1 },
      conditions: [],
      supported: { podFields: [], manifestBytes: 1 },
    }) as { status: { addresses: unknown } }
  ).status.addresses;

test('a board without a network has no address, rather than an empty one', () => {
  const name = { type: 'Hostname', address: 'board-7' };
  assert.deepEqual(addresses('192.0.2.7'), [{ type: 'InternalIP', address: '192.0.2.7' }, name]);
  assert.deepEqual(addresses(undefined), [name]);
});
