/** Every honoured field with every value it must not take: refused at its path, whatever the value. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admitPod } from '../../../src/manifest/admit.ts';
import { admitConfigMap, admitSecret } from '../../../src/manifest/admit-data.ts';
import { FIELDS, type FieldTable, PLACES, type TypeName } from '../../../src/manifest/fields.ts';
import { isObject } from '../../../src/manifest/validate/read.ts';
import { BAD } from './bad-values.ts';
import type { Json } from './fixtures.ts';
import { SCAFFOLD } from './scaffold.ts';

const TYPES = Object.keys(FIELDS) as TypeName[];
/** Types by where they stand, to find what their parents need. */
const AT = new Map(TYPES.map((type) => [PLACES[type], type]));

/** An object of `type` in its place, in a Pod (or data object) in which nothing else is wrong. */
function inPlace(type: TypeName, object: Json): Json {
  const place = PLACES[type];
  if (place === '') return object;
  const cut = place.lastIndexOf('.');
  const parent = place.slice(0, Math.max(cut, 0));
  const member = place.slice(cut + 1);
  const value = member.endsWith('[]') ? [object] : object;
  const parentType = parent === '' ? 'Pod' : (AT.get(parent) as TypeName);
  const needs = parentType === 'Pod' ? podAround(type) : (SCAFFOLD[parentType] ?? {});
  return inPlace(parentType, { ...needs, [member.replace('[]', '')]: value });
}

function podAround(type: TypeName): Json {
  return { ...SCAFFOLD.Pod, ...(type !== 'PodSpec' && { spec: SCAFFOLD.PodSpec }) };
}

function admit(type: TypeName, object: Json) {
  if (type === 'ConfigMap') return admitConfigMap(object);
  return type === 'Secret' ? admitSecret(object) : admitPod(object);
}

/** The other way to give the field a meaning: one of a choice must be there. */
const OTHERWISE: Partial<Record<TypeName, Json>> = {
  Probe: { tcpSocket: { port: 1 } },
  EnvFromSource: { configMapRef: { name: 'm' } },
  DownwardAPIVolumeFile: { fieldRef: { fieldPath: 'metadata.name' } },
};
const CHOICES = /^(exec|httpGet|tcpSocket|grpc|configMapRef|secretRef|fieldRef|resourceFieldRef)$/;

function withField(type: TypeName, field: string, value: unknown): Json {
  const needs = SCAFFOLD[type] ?? {};
  const choice = CHOICES.test(field) ? {} : (OTHERWISE[type] ?? {});
  return { ...(type === 'Pod' ? podAround('Pod') : needs), ...choice, [field]: value };
}

function pathOf(type: TypeName, field: string): string {
  const place = PLACES[type].replaceAll('[]', '[0]');
  return place === '' ? field : `${place}.${field}`;
}

const cut = (value: unknown) => (JSON.stringify(value) ?? 'undefined').slice(0, 60);

for (const type of TYPES)
  describe(type, () => {
    test('has a line for every field that is honoured', () => {
      const honoured = Object.entries(FIELDS[type] as FieldTable).filter(([, { support }]) => support === 'yes');
      assert.deepEqual(Object.keys(BAD[type]).sort(), honoured.map(([name]) => name).sort());
    });

    for (const [field, values] of Object.entries(BAD[type]))
      test(field, () => {
        const path = pathOf(type, field);
        assert.ok(values.length > 0);
        for (const value of values) {
          const result = admit(type, inPlace(type, withField(type, field, value)));
          assert.ok('errors' in result, `${path} = ${cut(value)} was accepted`);
          assert.ok(
            result.errors.some((error) => error.path.startsWith(path)),
            `${path} = ${cut(value)}: ${JSON.stringify(result.errors)}`,
          );
        }
      });

    test('an unknown field', () => {
      const result = admit(type, inPlace(type, withField(type, 'nonsense', { x: 1 })));
      assert.ok('errors' in result && isObject(result.errors[0]));
      const path = pathOf(type, 'nonsense');
      assert.ok(
        result.errors.some((error) => error.path === path && error.reason.startsWith('unknown field')),
        JSON.stringify(result.errors),
      );
    });
  });
