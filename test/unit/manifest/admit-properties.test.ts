import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { admitPod } from '../../../src/manifest/admit.ts';
import { FIELDS } from '../../../src/manifest/fields.ts';
import { member } from '../../../src/manifest/validate/issues.ts';
import { admitted, errorsOf, fixture, type Json, rawPod } from './fixtures.ts';

const FIXTURES = ['two-containers.yaml', 'kubectl-run.json', 'every-field.yaml'];
const NAMES = Object.values(FIELDS).flatMap((table) => Object.keys(table));

/** JSON of which many keys are those of a Pod. */
const podlike = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 5 })), tie('value'), { maxKeys: 6 }),
})).object as fc.Arbitrary<Json>;

type Path = (string | number)[];

/** Paths of everything inside a value. */
function inside(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    return [at, ...inside(item, at)];
  });
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as Json) }) as Record<string | number, unknown>;
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const spelled = (path: Path) =>
  path.reduce<string>((at, part) => (typeof part === 'number' ? `${at}[${part}]` : member(at, part)), '');

describe('admission, whatever comes', () => {
  test('any JSON is answered', () => {
    fc.assert(fc.property(fc.jsonValue(), (raw) => void admitPod(raw)));
    fc.assert(fc.property(podlike, podlike, (spec, container) => void admitPod(rawPod(spec, container))));
    fc.assert(fc.property(podlike, (raw) => void admitPod({ ...raw, apiVersion: 'v1', kind: 'Pod' })));
  });

  test('every answer is a list of reasons, or a pod', () => {
    fc.assert(
      fc.property(podlike, podlike, (spec, container) => {
        const result = admitPod(rawPod(spec, container));
        if ('errors' in result) assert.ok(result.errors.length > 0 && result.errors.length <= 64);
        for (const { reason } of 'errors' in result ? result.errors : result.warnings)
          assert.ok(reason.length > 0 && reason.length < 400, reason);
      }),
    );
  });

  for (const name of FIXTURES)
    test(`${name}: an admitted pod is admitted unchanged`, () => {
      const pod = admitted(fixture(name));
      assert.deepEqual(admitted(JSON.parse(JSON.stringify(pod))), pod);
    });

  for (const name of FIXTURES)
    test(`${name}: a value of a wrong kind is found where it is`, () => {
      const raw = fixture(name);
      for (const path of inside(raw).filter(([first]) => first !== 'status'))
        for (const by of [[[1]], { nonsense: { x: 1 } }, -1.5]) checkBlame(raw, path, by);
    });
});

/** Where a field may be wrong only because of another: the error is at the other end. */
const ELSEWHERE = /volumes|limits|hostNetwork|env\[\d+\]/;

function checkBlame(raw: Json, path: Path, by: unknown): void {
  const at = spelled(path);
  const errors = errorsOf(replaced(raw, path, by));
  const near = errors.filter((error) => error.path.startsWith(at) || at.startsWith(error.path));
  assert.ok(near.length > 0, `${at} = ${JSON.stringify(by)}: ${JSON.stringify(errors)}`);
  if (!ELSEWHERE.test(at)) assert.deepEqual(errors, near, at);
}
