/** Truth tables of the pure parts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusal } from '../../../src/pods/admission/admission.ts';
import { recordFromLabels, sandboxLabels } from '../../../src/pods/adoption/labels.ts';
import { nextBackoff, nextRetry, restartDueAt } from '../../../src/pods/backoff.ts';
import { changeOf, newRecord, terminationOf } from '../../../src/pods/changes/change.ts';
import { resizeRefusal, wider } from '../../../src/pods/changes/resize.ts';
import { EventFilter } from '../../../src/pods/events/event-filter.ts';
import { failureMessage, startFailureMessage } from '../../../src/pods/failures.ts';
import { attemptPhase, launch, nextAttempt, unlaunch } from '../../../src/pods/history.ts';
import { hostnameOf } from '../../../src/pods/operations/hostname.ts';
import type { ContainerHistory, EndedAttempt } from '../../../src/pods/types.ts';
import { RuntimeError } from '../../../src/runtime/errors.ts';
import { container, desired, pod, tombstone } from './fixtures.ts';

const ended = (attempt: number): EndedAttempt => ({
  attempt,
  exitCode: 1,
  signal: 0,
  reason: 'Error',
  finishedMono: 0,
});

describe('restart back-off', () => {
  const cases = [
    { name: 'no entry: at once', entry: undefined, finished: 5_000, due: 5_000 },
    { name: 'counted from the end', entry: { delayMs: 20_000, updatedMono: 4_000 }, finished: 5_000, due: 25_000 },
    { name: '600 s: not expired', entry: { delayMs: 20_000, updatedMono: 0 }, finished: 600_000, due: 620_000 },
    { name: 'over 600 s: expired', entry: { delayMs: 20_000, updatedMono: 0 }, finished: 600_001, due: 600_001 },
  ];
  for (const { name, entry, finished, due } of cases) {
    test(name, () => assert.equal(restartDueAt(entry, finished), due));
  }

  test('10 s, doubled, at most 300 s; an expired entry begins again', () => {
    const delays: number[] = [];
    let entry = nextBackoff(undefined, 0, 0);
    for (let n = 0; n < 7; n++) {
      delays.push(entry.delayMs / 1000);
      entry = nextBackoff(entry, 0, 0);
    }
    assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300]);
    assert.equal(nextBackoff(entry, 600_001, 700_000).delayMs, 10_000);
  });

  test('retries of steps are spaced in the same way', () => {
    const first = nextRetry(undefined, 1_000);
    assert.deepEqual(first, { failures: 1, delayMs: 10_000, notBefore: 11_000 });
    assert.deepEqual(nextRetry(first, 11_000), { failures: 2, delayMs: 20_000, notBefore: 31_000 });
    assert.equal(nextRetry({ failures: 9, delayMs: 300_000, notBefore: 0 }, 0).delayMs, 300_000);
  });
});

describe('attempts', () => {
  const running = { attempt: 1, startedAt: 'x' };
  const cases: { history: ContainerHistory; phase: string; next: number; unlaunched: number }[] = [
    { history: { launched: -1 }, phase: 'never', next: 0, unlaunched: -1 },
    { history: { launched: 0 }, phase: 'launched', next: 0, unlaunched: -1 },
    { history: { launched: 1, running }, phase: 'running', next: 1, unlaunched: 1 },
    { history: { launched: 1, ended: ended(1) }, phase: 'ended', next: 2, unlaunched: 1 },
    { history: { launched: 2, ended: ended(1) }, phase: 'launched', next: 2, unlaunched: 1 },
    { history: { launched: 1, running, ended: ended(1) }, phase: 'ended', next: 2, unlaunched: 1 },
  ];
  for (const { history, phase, next, unlaunched } of cases) {
    test(`${JSON.stringify(history)} is ${phase}`, () => {
      assert.equal(attemptPhase(history), phase);
      assert.equal(nextAttempt(history), next);
      assert.equal(launch(history).launched, next);
      assert.equal(unlaunch(history).launched, unlaunched);
    });
  }
});

describe('admission', () => {
  const allocatable = { cpuMilli: 1000, memoryBytes: 1000, storageBytes: 2 ** 30, pods: 2 };
  const asks = (requests: Record<string, string>) =>
    pod('p', { containers: [container('c', { resources: { requests } })] });
  const port = (containerPort: number, fields: object = {}, hostNetwork = true) =>
    pod('p', { hostNetwork, containers: [container('c', { ports: [{ containerPort, protocol: 'TCP', ...fields }] })] });
  const cases = [
    {
      name: 'exactly fits',
      wanted: asks({ cpu: '400m', memory: '400' }),
      held: [asks({ cpu: '600m', memory: '600' })],
    },
    {
      name: 'one byte too much',
      wanted: asks({ memory: '401' }),
      held: [asks({ memory: '600' })],
      reason: 'OutOfmemory',
    },
    { name: 'one milli too much', wanted: asks({ cpu: '401m' }), held: [asks({ cpu: '600m' })], reason: 'OutOfcpu' },
    { name: 'asks for nothing on a full node', wanted: asks({}), held: [asks({ memory: '1000', cpu: '1' })] },
    { name: 'one pod too many', wanted: asks({}), held: [asks({}), asks({})], reason: 'OutOfpods' },
    {
      name: 'containers are summed',
      wanted: pod('p', {
        containers: ['a', 'b'].map((name) => container(name, { resources: { requests: { memory: '501' } } })),
      }),
      held: [],
      reason: 'OutOfmemory',
    },
    { name: 'the same node port', wanted: port(80), held: [port(80)], reason: 'NodePorts' },
    { name: 'the same number, other protocol', wanted: port(80), held: [port(80, { protocol: 'UDP' })] },
    { name: 'other address', wanted: port(80, { hostIP: '192.0.2.1' }), held: [port(80, { hostIP: '192.0.2.2' })] },
    { name: 'any address overlaps', wanted: port(80, { hostIP: '192.0.2.1' }), held: [port(80)], reason: 'NodePorts' },
    { name: 'pods with networks of their own', wanted: port(80, {}, false), held: [port(80, {}, false)] },
    {
      name: 'hostPort against hostNetwork',
      wanted: port(8080, { hostPort: 80 }, false),
      held: [port(80)],
      reason: 'NodePorts',
    },
  ];
  for (const { name, wanted, held, reason } of cases) {
    test(name, () => assert.equal(refusal(wanted, { admitted: held, allocatable })?.reason, reason));
  }

  const bestEffort = asks({});
  const burstable = asks({ memory: '1' });
  const priority = (value: number) => pod('p', { priority: value });
  for (const [name, wanted, pressures, message] of [
    ['memory is short, nothing asked for', bestEffort, ['MemoryPressure'], '[MemoryPressure]'],
    ['memory is short, memory asked for', burstable, ['MemoryPressure'], undefined],
    ['disk is short', burstable, ['DiskPressure'], '[DiskPressure]'],
    ['several', burstable, ['DiskPressure', 'MemoryPressure'], '[DiskPressure MemoryPressure]'],
    ['critical', priority(2_000_000_000), ['DiskPressure'], undefined],
    ['important', priority(1_999_999_999), ['DiskPressure'], '[DiskPressure]'],
  ] as const) {
    test(`under pressure: ${name}`, () => {
      const outcome = refusal(wanted, { admitted: [], allocatable, pressures });
      assert.equal(outcome?.reason, message && 'Evicted');
      assert.equal(outcome?.message, message && `The node had condition: ${message}. `);
    });
  }

  test('figures as the kubelet words them', () => {
    assert.equal(
      refusal(asks({ cpu: '2' }), { admitted: [asks({ cpu: '500m' })], allocatable })?.message,
      "Node didn't have enough resource: cpu, requested: 2000, used: 500, capacity: 1000",
    );
  });
});

describe('room for a resize', () => {
  const allocatable = { cpuMilli: 1000, memoryBytes: 1000 };
  const asks = (cpu: string, memory: string) =>
    pod('p', { containers: [container('c', { resources: { requests: { cpu, memory } } })] });
  const cases = [
    { name: 'grows and fits', from: asks('100m', '100'), to: asks('500m', '500'), reason: undefined },
    { name: 'more than there is', from: asks('100m', '100'), to: asks('100m', '1001'), reason: 'Infeasible' },
    { name: 'more than is free', from: asks('100m', '100'), to: asks('701m', '100'), reason: 'Deferred' },
    { name: 'exactly what is free', from: asks('100m', '100'), to: asks('700m', '700'), reason: undefined },
    { name: 'giving back on a full node', from: asks('900m', '900'), to: asks('800m', '900'), reason: undefined },
  ];
  for (const { name, from, to, reason } of cases)
    test(name, () =>
      assert.equal(resizeRefusal(from, to, { others: [asks('300m', '300')], allocatable })?.reason, reason),
    );

  test('in between a pod has the larger of both sizes', () => {
    const of = (limit: number, quota: number) => ({
      memory: { limit, swap: limit },
      cpu: { shares: 2, quota, period: 100_000 },
    });
    assert.deepEqual(wider(of(1, 9), of(5, 4)), of(5, 9));
    assert.deepEqual(wider(of(1, 9), { cpu: { shares: 7 } }), { cpu: { shares: 7 } }, 'no limit is the largest');
  });
});

describe('what a desired object means', () => {
  const object = pod('p');
  const record = newRecord(desired(object), { uid: 'u', bootId: 'b', now: new Date(0), mono: 0 });
  const cases = [
    { name: 'absence', wanted: undefined, change: 'none' },
    { name: 'the same', wanted: desired(object), change: 'none' },
    { name: 'the same, of another generation', wanted: desired(object, { generation: 2 }), change: 'update' },
    { name: 'other labels', wanted: desired(object, { manifestDigest: 'x' }), change: 'update' },
    { name: 'other spec', wanted: desired(pod('p', { hostNetwork: true })), change: 'replace' },
    {
      name: 'other image',
      wanted: desired(pod('p', { containers: [container('web', { image: 'nginx' })] })),
      change: 'update',
    },
    { name: 'other defaults', wanted: desired(object, { specDigest: 'y' }), change: 'none' },
    { name: 'tombstone', wanted: tombstone('p'), change: 'delete' },
  ];
  for (const { name, wanted, change } of cases) test(name, () => assert.equal(changeOf(record, wanted), change));

  for (const [requested, grace] of [
    [undefined, 30],
    [5, 5],
    [1, 1],
    [0, 1],
    [90, 90],
  ] as const) {
    test(`a grace of ${requested} is ${grace} s`, () => {
      const options = { reason: 'Deleted' as const, now: new Date(0), mono: 0, requestedGrace: requested };
      assert.equal(terminationOf(record, options).graceSeconds, grace);
    });
  }

  test('a sandbox carries enough to write its record again', () => {
    const boot = { bootId: 'b', mono: 0 };
    const withIp = { ...record, ip: '10.88.0.2', sandboxes: 3, generation: 7 };
    const restored = recordFromLabels({ uid: 'u', attempt: 2, ip: '10.88.0.2', labels: sandboxLabels(withIp) }, boot);
    assert.deepEqual(restored, withIp);
    for (const labels of [{}, { 'io.edgepod.manifest': '{' }, { 'io.edgepod.manifest': 'null' }]) {
      assert.equal(recordFromLabels({ uid: 'u', attempt: 0, labels }, boot), undefined);
    }
  });
});

describe('messages', () => {
  const subject = { namespace: 'default', pod: 'web', container: 'nginx' };
  const start = (step: string, code: string, detail = '') =>
    startFailureMessage(new RuntimeError({ step, code, detail }), { subject, image: 'debian', command: 'foo' });
  const cases = [
    {
      got: start('exec', 'ENOENT', 'foo'),
      want: /^default\/web\/nginx: exec ENOENT foo: command "foo" not found in image debian/,
    },
    { got: start('exec', 'EACCES'), want: /command "foo" in image debian is not executable/ },
    { got: start('exec', 'ENOEXEC'), want: /is no program for this machine/ },
    { got: start('exec', 'E2BIG'), want: /could not be executed/ },
    { got: start('open-mount-source', 'ENOENT', '/data'), want: /open-mount-source ENOENT \/data: a mount source/ },
    { got: start('chdir', 'ENOENT', '/srv'), want: /check spec\.containers\[\]\.workingDir/ },
    { got: start('cgroup-create', 'ENOSPC'), want: /free space on the device/ },
    { got: start('setsid', 'EPERM'), want: /^default\/web\/nginx: setsid EPERM$/ },
    { got: failureMessage(new Error('plain'), { namespace: 'default', pod: 'web' }), want: /^default\/web: plain$/ },
    { got: failureMessage('text', subject), want: /^default\/web\/nginx: text$/ },
  ];
  for (const { got, want } of cases) test(String(want), () => assert.match(got, want));
});

describe('host names', () => {
  const cases = [
    { spec: {}, want: 'site' },
    { spec: { hostname: 'other' }, want: 'other' },
    { spec: { hostNetwork: true, hostname: 'other' }, want: 'board-7' },
    { spec: { hostname: `${'a'.repeat(62)}-b` }, want: 'a'.repeat(62) },
    { spec: { hostname: 'other', subdomain: 'sub', hostnameOverride: 'whole.name' }, want: 'whole.name' },
  ];
  for (const { spec, want } of cases) test(want, () => assert.equal(hostnameOf(pod('site', spec), 'board-7'), want));
});

describe('events', () => {
  const event = (message: string) => ({
    type: 'Warning' as const,
    reason: 'BackOff',
    message,
    pod: { namespace: 'default', name: 'p', uid: 'u' },
  });

  test('the same event again is counted and told once in five minutes', () => {
    const filter = new EventFilter(0);
    assert.equal(filter.pass(event('x'), 0)?.count, 1);
    assert.equal(filter.pass(event('x'), 1_000), undefined);
    assert.equal(filter.pass(event('x'), 299_999), undefined);
    assert.equal(filter.pass(event('x'), 300_000)?.count, 3);
  });

  test('what stays wrong is told after 5 min, 10, 20 … and in the end once a day; after a pause it is news', () => {
    const filter = new EventFilter(0);
    const told: number[] = [];
    const MINUTE = 60_000;
    for (let minute = 0; minute <= 10 * 1440; minute++)
      if (filter.pass({ ...event(`answer ${minute}`), series: 'x' }, minute * MINUTE)) told.push(minute);
    assert.deepEqual(told.slice(0, 10), [0, 5, 15, 35, 75, 155, 315, 635, 1275, 2555]);
    assert.deepEqual(told.slice(10), [3995, 5435, 6875, 8315, 9755, 11195, 12635, 14075]);
    const later = (10 * 1440 + 11) * MINUTE;
    assert.equal(filter.pass({ ...event('again'), series: 'x' }, later)?.message, 'again');
    assert.equal(filter.pass({ ...event('again'), series: 'x' }, later + 5 * MINUTE)?.count, 1);
  });

  test('25 at once, then one in five minutes', () => {
    const filter = new EventFilter(0);
    const passed = (from: number, now: number) =>
      Array.from({ length: 40 }, (_, n) => filter.pass(event(`${from + n}`), now)).filter(Boolean).length;
    assert.equal(passed(0, 0), 25);
    assert.equal(passed(100, 299_999), 0);
    assert.equal(passed(200, 600_000), 2);
  });
});
