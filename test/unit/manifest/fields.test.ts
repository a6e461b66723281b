import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { Pod as KubernetesPod } from 'kubernetes-types/core/v1.js';
import { admitPod } from '../../../src/manifest/admit.ts';
import { FIELDS, type FieldTable, supportedFields, type TypeName } from '../../../src/manifest/fields.ts';
import { renderFields } from '../../../src/manifest/fields-doc.ts';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import type { PodStatus } from '../../../src/manifest/types/status.ts';

/** Compiles only while what we publish is a Kubernetes Pod. `errors` is our own addition. */
export function asKubernetes(pod: Omit<Pod, 'status'> & { status: Omit<PodStatus, 'errors'> }): KubernetesPod {
  return pod;
}

/** Names of an interface's members in the declarations of kubernetes-types. */
function kubernetesFields(type: string): string[] {
  const types = dirname(createRequire(import.meta.url).resolve('kubernetes-types/package.json'));
  const file = type === 'ObjectMeta' ? 'meta/v1.d.ts' : 'core/v1.d.ts';
  const text = readFileSync(join(types, file), 'utf8');
  const body = new RegExp(`export interface ${type} \\{\n([^]*?)\n\\}`).exec(text)?.[1];
  assert.ok(body, `no interface ${type}`);
  return [...body.matchAll(/^ {4}(?:readonly )?"?(\w+)"?\??:/gm)].map((match) => match[1] as string);
}

/** Newer than the declarations. */
const NEWER: readonly string[] = [
  'FileKeySelector',
  'ContainerRestartRule',
  'ContainerRestartRuleOnExitCodes',
  'ImageVolumeSource',
];

describe('the field table', () => {
  for (const [type, table] of (Object.entries(FIELDS) as [TypeName, FieldTable][]).filter(([t]) => !NEWER.includes(t)))
    test(`knows every field of Kubernetes' ${type}`, () => {
      const known = kubernetesFields(type);
      assert.ok(known.length > 0);
      assert.deepEqual(
        known.filter((name) => !Object.hasOwn(table, name)),
        [],
      );
    });

  test('is what FIELDS.md says (node src/manifest/fields-doc.ts --write)', () => {
    const page = readFileSync(new URL('../../../src/manifest/FIELDS.md', import.meta.url), 'utf8');
    assert.equal(page, renderFields());
  });

  test('lists the supported fields with their paths', () => {
    const fields = supportedFields();
    assert.ok(fields.includes('spec.containers[].volumeMounts[].subPath'));
    assert.ok(fields.includes('spec.ephemeralContainers[].targetContainerName'));
    assert.ok(!fields.includes('spec.ephemeralContainers[].ports'));
    assert.deepEqual(fields, [...new Set(fields)].sort());
  });

  test('decides: every refused field of a pod and a container is refused', () => {
    const refused = (type: TypeName) =>
      Object.entries(FIELDS[type] as FieldTable)
        .filter(([, field]) => field.support === 'refused')
        .map(([name]) => name);
    const something = [{ something: 1 }];
    const spec = Object.fromEntries(refused('PodSpec').map((name) => [name, something]));
    const container = Object.fromEntries(refused('Container').map((name) => [name, something]));
    const raw = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } };
    const result = admitPod({ ...raw, spec: { ...spec, containers: [{ name: 'c', image: 'i', ...container }] } });
    assert.ok('errors' in result);
    const expected = [
      ...refused('PodSpec').map((name) => `spec.${name}`),
      ...refused('Container').map((name) => `spec.containers[0].${name}`),
    ];
    assert.deepEqual(result.errors.map(({ path }) => path).sort(), expected.sort());
    assert.ok(result.errors.every(({ reason }) => reason.startsWith('not supported: ')));
  });
});
