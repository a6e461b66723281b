import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { age, duration } from '../../../src/cli/output/age.ts';
import { deviceStatusWord } from '../../../src/cli/output/device-rows.ts';
import { podStatusWord } from '../../../src/cli/output/pod-rows.ts';
import { table } from '../../../src/cli/output/table.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';

test('a table pads all but the last column and names empty cells', () => {
  assert.equal(
    table(
      ['NAME', 'IP'],
      [
        ['web', '10.0.0.1'],
        ['longer-name', ''],
      ],
    ),
    'NAME          IP\nweb           10.0.0.1\nlonger-name   <none>\n',
  );
});

describe('durations as kubectl prints them', () => {
  for (const [seconds, text] of [
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [200, '3m20s'],
    [600, '10m'],
    [10_799, '179m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 60, '3h1m'],
    [8 * 3600, '8h'],
    [2 * 86_400, '2d'],
    [2 * 86_400 + 3600, '2d1h'],
    [8 * 86_400, '8d'],
    [-3600, '<invalid>'],
  ] as const)
    test(`${seconds} s`, () => assert.equal(duration(seconds), text));
  test('no time is unknown', () => assert.equal(age(undefined), '<unknown>'));
});

describe('the STATUS column', () => {
  const pod = (status: object, metadata: object = {}) =>
    ({
      metadata: { name: 'p', namespace: 'default', ...metadata },
      status: { phase: 'Running', conditions: [], containerStatuses: [], ...status },
    }) as unknown as Pod;
  const container = (state: object, ready = false) => ({ name: 'c', state, ready, restartCount: 0 });
  for (const [name, expected, value] of [
    ['the phase', 'Running', pod({})],
    ['a pod-level reason', 'OutOfmemory', pod({ phase: 'Failed', reason: 'OutOfmemory' })],
    [
      'a waiting reason',
      'CrashLoopBackOff',
      pod({ containerStatuses: [container({ waiting: { reason: 'CrashLoopBackOff' } })] }),
    ],
    [
      'an end',
      'Error',
      pod({ phase: 'Failed', containerStatuses: [container({ terminated: { reason: 'Error', exitCode: 1 } })] }),
    ],
    [
      'an end without a reason',
      'ExitCode:3',
      pod({ containerStatuses: [container({ terminated: { reason: '', exitCode: 3 } })] }),
    ],
    ['a tombstone', 'Terminating', pod({}, { deletionTimestamp: 'now' })],
    ['a refusal', 'Rejected', pod({ phase: 'Pending', errors: [{ path: 'spec', reason: 'x' }] })],
    [
      'one container completed, another runs, pod ready',
      'Running',
      pod({
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [
          container({ terminated: { reason: 'Completed', exitCode: 0 } }),
          container({ running: {} }, true),
        ],
      }),
    ],
    [
      'the same, pod not ready',
      'NotReady',
      pod({
        containerStatuses: [
          container({ terminated: { reason: 'Completed', exitCode: 0 } }),
          container({ running: {} }, true),
        ],
      }),
    ],
  ] as const)
    test(name, () => assert.equal(podStatusWord(value), expected));
});

describe('the status of a device', () => {
  const node = {
    status: {
      conditions: [
        { type: 'MemoryPressure', status: 'True' },
        { type: 'DiskPressure', status: 'False' },
      ],
    },
  };
  for (const [expected, device] of [
    ['Unknown', { name: 'd' }],
    ['Offline', { name: 'd', presence: { state: 'offline' } }],
    ['Lost', { name: 'd', presence: { state: 'lost' } }],
    ['Ready', { name: 'd', presence: { state: 'online' } }],
    ['Ready,MemoryPressure', { name: 'd', presence: { state: 'online' }, node }],
  ] as const)
    test(expected, () => assert.equal(deviceStatusWord(device), expected));
});
