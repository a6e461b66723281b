import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldValue, type PodFacts, resourceValue } from '../../../src/manifest/downward.ts';
import { containerVariablesFrom } from '../../../src/manifest/env-sources.ts';
import type { Container } from '../../../src/manifest/types/container.ts';
import type { EnvVar } from '../../../src/manifest/types/env.ts';
import type { ConfigMap, Secret } from '../../../src/manifest/types/objects.ts';
import { container, pod } from '../pods/fixtures.ts';

const facts: PodFacts = {
  uid: 'u-1',
  nodeName: 'board',
  hostIP: '192.0.2.1',
  podIP: '10.88.0.5',
  allocatable: { cpu: '3500m', memory: '1Gi', 'ephemeral-storage': '8Gi' },
};
const metadata = { name: 'x', namespace: 'default' };
const configMap = (data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data,
  binaryData: {},
  immutable: false,
});
const secret = (data: Record<string, string>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  type: 'Opaque',
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  immutable: false,
});
const objects = {
  configMap: (name: string) => (name === 'cm' ? configMap({ a: '1', 'b.c': '$(a)' }) : undefined),
  secret: (name: string) => (name === 'sec' ? secret({ password: 'hunter2', nul: 'a\0b' }) : undefined),
};
/** An emptyDir `v` with one file. */
const file = (volume: string, path: string) =>
  volume === 'v' && path === 'a/env' ? "# K=0\nA='1 x'\n\n B = \"2\" \nC=\nD='\nnothing\nE=a=b\nE=3\r\n" : undefined;
const variables = (fields: Partial<Container>) => {
  const asked = container('web', fields);
  return containerVariablesFrom({ pod: pod('p', { containers: [asked] }), container: asked, objects, facts, file });
};
const key = (kind: 'configMapKeyRef' | 'secretKeyRef', name: string, of: string, optional = false): EnvVar => ({
  name: 'V',
  valueFrom: { [kind]: { name, key: of, optional } },
});

test('envFrom before env, env over envFrom, $(VAR) only in written values', () => {
  const result = variables({
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm', optional: false } }],
    env: [
      { name: 'X', value: '$(P_a) $(P_b.c) $(Y)' },
      { name: 'Y', value: '2' },
      { name: 'P_a', value: 'over' },
    ],
  });
  assert.deepEqual(Object.fromEntries(result.variables), { P_a: 'over', 'P_b.c': '$(a)', X: '1 $(a) $(Y)', Y: '2' });
});

test('variables of a file: quoted or not, the last of a key, and what is not there', () => {
  const of = (key: string, { path = 'a/env', optional = false } = {}) => {
    const fileKeyRef = { volumeName: 'v', path, key, optional };
    return variables({ env: [{ name: 'V', valueFrom: { fileKeyRef } }] }).variables.get('V');
  };
  assert.deepEqual(
    ['A', 'B', 'C', 'D', 'E'].map((name) => of(name)),
    ['1 x', '2', '', "'", '3'],
  );
  assert.equal(of('K', { optional: true }), undefined);
  assert.equal(of('A', { path: 'b', optional: true }), undefined);
  const code = 'CreateContainerConfigError';
  assert.throws(() => of('K'), { code, message: 'environment variable key "K" not found in file "a/env"' });
  assert.throws(() => of('A', { path: 'b' }), { code, message: 'file "b" not found' });
});

test('a key that makes no name of a variable is skipped and told', () => {
  const { variables: found, skipped } = variables({
    envFrom: [{ prefix: 'a=', configMapRef: { name: 'cm', optional: false } }],
  });
  assert.equal(found.size, 0);
  assert.deepEqual(skipped, [{ source: 'configMap default/cm', keys: ['a=a', 'a=b.c'] }]);
});

describe('what is not there', () => {
  const refused: [Partial<Container>, string][] = [
    [{ env: [key('configMapKeyRef', 'no', 'a')] }, 'configmap "no" not found'],
    [{ env: [key('secretKeyRef', 'no', 'a')] }, 'secret "no" not found'],
    [{ env: [key('configMapKeyRef', 'cm', 'no')] }, "couldn't find key no in ConfigMap default/cm"],
    [{ env: [key('secretKeyRef', 'sec', 'no')] }, "couldn't find key no in Secret default/sec"],
    [{ envFrom: [{ prefix: '', secretRef: { name: 'no', optional: false } }] }, 'secret "no" not found'],
    [{ env: [key('secretKeyRef', 'sec', 'nul')] }, 'the value of variable V has a NUL byte: mount it as a file'],
    [{ env: [key('secretKeyRef', 'sec', '__proto__')] }, "couldn't find key __proto__ in Secret default/sec"],
  ];
  for (const [fields, message] of refused) {
    test(message, () => assert.throws(() => variables(fields), { message, code: 'CreateContainerConfigError' }));
  }

  test('optional: the variable is not defined', () => {
    const env = [key('configMapKeyRef', 'no', 'a', true), key('secretKeyRef', 'sec', 'no', true)];
    assert.equal(
      variables({ env, envFrom: [{ prefix: '', secretRef: { name: 'no', optional: true } }] }).variables.size,
      0,
    );
  });
});

test('fields of the pod', () => {
  const object = pod('p');
  object.metadata.labels = { z: 'a"b\n', app: 'web' };
  const rows: [string, string][] = [
    ['metadata.name', 'p'],
    ['metadata.namespace', 'default'],
    ['metadata.uid', 'u-1'],
    ["metadata.labels['app']", 'web'],
    ["metadata.annotations['none']", ''],
    ['metadata.labels', 'app="web"\nz="a\\"b\\n"'],
    ['spec.nodeName', 'board'],
    ['status.hostIP', '192.0.2.1'],
    ['status.podIP', '10.88.0.5'],
  ];
  for (const [fieldPath, value] of rows) assert.equal(fieldValue(object, { fieldPath }, facts), value, fieldPath);
});

test('resources, in units of the divisor, rounded up; the node’s where there is no limit', () => {
  const limited = container('web', {
    resources: { limits: { cpu: '1500m', memory: '100Mi' }, requests: { cpu: '1' } },
  });
  const object = pod('p', { containers: [limited, container('free')] });
  const rows: [string, string, string, string][] = [
    ['web', 'limits.cpu', '1', '2'],
    ['web', 'limits.cpu', '1m', '1500'],
    ['web', 'requests.cpu', '1', '1'],
    ['web', 'limits.memory', '1Mi', '100'],
    ['web', 'limits.memory', '0', '104857600'],
    ['web', 'requests.memory', '1', '0'],
    ['free', 'limits.cpu', '1', '4'],
    ['free', 'limits.memory', '1Mi', '1024'],
    ['free', 'limits.ephemeral-storage', '1Gi', '8'],
  ];
  for (const [containerName, resource, divisor, value] of rows) {
    assert.equal(
      resourceValue(object, { containerName, resource, divisor }, { facts }),
      value,
      `${containerName} ${resource}`,
    );
  }
});
