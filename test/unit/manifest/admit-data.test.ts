import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readTombstone } from '../../../src/manifest/admit.ts';
import { admitConfigMap, admitSecret } from '../../../src/manifest/admit-data.ts';
import type { Json } from './fixtures.ts';

const metadata = { name: 'o' };
const configMap = (fields: Json) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, ...fields });
const secret = (fields: Json) => ({ apiVersion: 'v1', kind: 'Secret', metadata, ...fields });
const base64 = (text: string) => Buffer.from(text).toString('base64');
const MI = 1024 * 1024;

function lines(result: ReturnType<typeof admitConfigMap | typeof admitSecret>): string[] {
  return 'errors' in result ? result.errors.map(({ path, reason }) => `${path}: ${reason}`) : [];
}

describe('ConfigMaps', () => {
  test('with data of both kinds', () => {
    const raw = configMap({ data: { 'a.conf': 'x=1\n', empty: '' }, binaryData: { b_in: 'AAEC' }, immutable: true });
    assert.deepEqual(admitConfigMap(raw), {
      object: { ...raw, metadata: { name: 'o', namespace: 'default' } },
      warnings: [],
    });
  });

  test('with nothing in it, in the namespace of its topic', () => {
    const result = admitConfigMap(configMap({ data: null }), { namespace: 'n' });
    assert.ok('object' in result);
    const { metadata: found, ...rest } = result.object;
    assert.deepEqual(found, { name: 'o', namespace: 'n' });
    assert.deepEqual(rest, { apiVersion: 'v1', kind: 'ConfigMap', data: {}, binaryData: {}, immutable: false });
  });

  const refused: [string, Json, RegExp][] = [
    ['another kind', secret({}), /^kind: Unsupported value: "Secret": supported values: "ConfigMap"$/],
    ['no name', configMap({ metadata: {} }), /^metadata\.name: Required value$/],
    ['an unknown field', configMap({ stringData: {} }), /^stringData: unknown field$/],
    ['a number', configMap({ data: { a: 1 } }), /^data\.a: Invalid value: got a number, expected a string/],
    [
      'a key that is a path',
      configMap({ data: { 'a/b': '' } }),
      /^data\[a\/b\]: Invalid value: "a\/b": must be letters/,
    ],
    [
      'a key that leads up',
      configMap({ data: { '..': '' } }),
      /^data\[\.\.\]: Invalid value: "\.\.": must not be '\.'/,
    ],
    ['a key that hides', configMap({ data: { '..data': '' } }), /^data\[\.\.data\]: .*start with '\.\.'$/],
    ['a long key', configMap({ data: { ['k'.repeat(254)]: '' } }), /must be no more than 253 characters$/],
    ['an empty key', configMap({ data: { '': '' } }), /^data\[\]: Invalid value: "": must be letters/],
    ['no base64', configMap({ binaryData: { a: 'abc' } }), /^binaryData\.a: Invalid value: must be base64/],
    ['url base64', configMap({ binaryData: { a: 'ab_-' } }), /^binaryData\.a: Invalid value: must be base64/],
    ['one key twice', configMap({ data: { a: '' }, binaryData: { a: '' } }), /^binaryData\.a: .*not be a key of data/],
    ['too much', configMap({ data: { a: 'x'.repeat(MI), b: 'y' } }), /^data: Too long: 1048577 bytes: may not be more/],
    ['immutable as text', configMap({ immutable: 'yes' }), /^immutable: Invalid value: got a string/],
  ];
  for (const [what, raw, expected] of refused)
    test(`refused: ${what}`, () => {
      const found = lines(admitConfigMap(raw));
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0]!, expected);
    });

  test('as much as fits', () => {
    assert.ok('object' in admitConfigMap(configMap({ data: { a: 'x'.repeat(MI) } })));
    assert.ok('object' in admitConfigMap(configMap({ binaryData: { a: base64('x'.repeat(MI)) } })));
  });
});

describe('Secrets', () => {
  test('stringData goes over data', () => {
    const result = admitSecret(secret({ data: { a: base64('old'), b: 'eA==\n' }, stringData: { a: 'new ☃' } }));
    assert.ok('object' in result);
    assert.equal(result.object.type, 'Opaque');
    assert.deepEqual(result.object.data, { a: base64('new ☃'), b: 'eA==' });
    assert.ok(!('stringData' in result.object));
  });

  const typed: [string, string, Record<string, string>, string[]][] = [
    ['tls', 'kubernetes.io/tls', { 'tls.crt': 'x' }, ['data[tls.key]']],
    ['tls, whole', 'kubernetes.io/tls', { 'tls.crt': 'x', 'tls.key': 'y' }, []],
    ['ssh', 'kubernetes.io/ssh-auth', {}, ['data.ssh-privatekey']],
    ['registry', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{' }, ['data[.dockerconfigjson]']],
    ['registry, whole', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{}' }, []],
    ['user', 'kubernetes.io/basic-auth', { other: '' }, ['data.username']],
    ['user, whole', 'kubernetes.io/basic-auth', { password: '' }, []],
    ['own', 'example.com/own', {}, []],
    ['constructor', 'constructor', {}, []],
  ];
  for (const [what, type, stringData, paths] of typed)
    test(`of a type: ${what}`, () => {
      const result = admitSecret(secret({ type, stringData }));
      assert.deepEqual('errors' in result ? result.errors.map(({ path }) => path) : [], paths);
    });

  test('a reason never has a value in it', () => {
    const found = lines(admitSecret(secret({ data: { a: 'hunter2 secret', b: 5 }, stringData: { c: ['hunter2'] } })));
    assert.equal(found.length, 3);
    assert.ok(!found.join().includes('hunter2'));
  });

  test('are deleted as pods are', () => {
    const raw = secret({ metadata: { name: 'o', deletionTimestamp: '2026-01-31T12:00:00Z' }, data: 5 });
    const tombstone = readTombstone(raw, { kind: 'Secret' });
    assert.ok(tombstone && 'metadata' in tombstone);
    assert.deepEqual(tombstone.metadata.name, 'o');
    assert.ok('errors' in readTombstone(raw)!);
  });
});

test('any JSON is answered', () => {
  const fields = fc.dictionary(
    fc.constantFrom('data', 'binaryData', 'stringData', 'type', 'immutable'),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(fields, (raw) => {
      admitConfigMap(configMap(raw as Json));
      admitSecret(secret(raw as Json));
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (raw) => void [admitConfigMap(raw), admitSecret(raw)]));
});
