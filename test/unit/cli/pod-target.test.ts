import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerOf, podName } from '../../../src/cli/pod-target.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';

const pod = (annotations: Record<string, string> = {}) =>
  ({
    metadata: { name: 'web', annotations },
    spec: { initContainers: [{ name: 'setup' }], containers: [{ name: 'a' }, { name: 'b' }] },
  }) as unknown as Pod;

test('a pod may be named with its kind', () => {
  assert.deepEqual(['web', 'pod/web', 'pods/web', 'po/web'].map(podName), ['web', 'web', 'web', 'web']);
});

test('the container asked for, else the annotated one, else the first', () => {
  const annotation = { 'kubectl.kubernetes.io/default-container': 'b' };
  assert.equal(containerOf(pod(annotation), 'setup'), 'setup');
  assert.equal(containerOf(pod(annotation), undefined), 'b');
  assert.equal(containerOf(pod(), undefined), 'a');
  assert.equal(containerOf(pod({ 'kubectl.kubernetes.io/default-container': 'gone' }), undefined), 'a');
  assert.throws(() => containerOf(pod(), 'c'), /container c is not in pod web: it has setup, a, b/);
});
