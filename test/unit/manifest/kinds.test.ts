import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readTombstone } from '../../../src/manifest/admit.ts';
import { admitWorkload, templatePod } from '../../../src/manifest/kinds.ts';
import type { Json } from './fixtures.ts';

const template = (spec: Json = {}) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const workload = (kind: string, spec: Json = {}, pod: Json = {}) => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { name: 'w', namespace: 'n', labels: { tier: 'x' }, generation: 3 },
  spec: { selector: { matchLabels: { app: 'web' } }, template: template(pod), ...spec },
});

describe('workloads', () => {
  for (const [kind, pod] of [
    ['Deployment', {}],
    ['DaemonSet', { restartPolicy: 'Always' }],
    ['Job', { restartPolicy: 'OnFailure' }],
  ] as [string, Json][])
    test(`a ${kind} is the pod of its template, under its own name`, () => {
      const result = admitWorkload(workload(kind, {}, pod));
      assert.ok('pod' in result, JSON.stringify(result));
      assert.deepEqual(result.warnings, []);
      assert.deepEqual(result.pod.metadata, {
        ...{ name: 'w', namespace: 'n', generation: 3, labels: { app: 'web' } },
        ...(kind !== 'Job' && { annotations: { 'edgepod.io/kind': kind } }),
      });
      assert.equal(result.pod.spec.restartPolicy, pod.restartPolicy ?? 'Always');
      assert.deepEqual(admitWorkload(result.object), { ...result, warnings: [] });
    });

  test('more than one is one, with a warning', () => {
    const result = admitWorkload(workload('Deployment', { replicas: 3, strategy: { type: 'Recreate' } }));
    assert.ok('pod' in result);
    assert.deepEqual(
      result.warnings.map(({ path }) => path),
      ['spec.replicas', 'spec.strategy'],
    );
  });

  const refused: [string, Json, RegExp][] = [
    ['none of it', workload('Deployment', { replicas: 0 }), /^spec\.replicas: not supported/],
    ['a version that is not', { ...workload('Job'), apiVersion: 'v1' }, /^apiVersion: Unsupported value: "v1"/],
    ['no template', workload('DaemonSet', { template: null }), /^spec\.template\.spec: Required value/],
    ['a Job that never ends', workload('Job'), /^spec\.template\.spec\.restartPolicy: Unsupported value: "Always"/],
    ['one that waits', workload('Job', { suspend: true }, { restartPolicy: 'Never' }), /^spec\.suspend: not supported/],
    ['an unknown field', workload('Deployment', { foo: 1 }), /^spec\.foo: unknown field/],
    [
      'a pod that is wrong',
      workload('Deployment', {}, { hostname: 'A' }),
      /^spec\.template\.spec\.hostname: Invalid value: "A"/,
    ],
    ['a Service', { apiVersion: 'v1', kind: 'Service' }, /^kind: not supported: "Service": use hostPort/],
    ['something else', { apiVersion: 'v1', kind: 'Tiger' }, /^kind: Unsupported value: "Tiger"/],
  ];
  for (const [what, raw, expected] of refused)
    test(`refused: ${what}`, () => {
      const result = admitWorkload(raw);
      assert.ok('errors' in result);
      assert.match(`${result.errors[0]?.path}: ${result.errors[0]?.reason}`, expected);
    });

  test('a tombstone needs no template', () => {
    const raw = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'w', deletionTimestamp: '2026-01-31T12:00:00Z' },
    };
    const found = templatePod(raw);
    assert.ok('raw' in found);
    const tombstone = readTombstone(found.raw);
    assert.ok(tombstone && 'metadata' in tombstone);
  });

  test('any JSON is answered', () => {
    fc.assert(fc.property(fc.jsonValue(), (raw) => void admitWorkload(raw)));
    fc.assert(fc.property(fc.jsonValue(), (spec) => void admitWorkload({ ...workload('Job'), spec })));
  });
});
