import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../../src/manifest/parse/json.ts';
import { parseManifestSync } from '../../../src/manifest/parse.ts';

const parse = (text: string, options = {}) => parseManifestSync(new TextEncoder().encode(text), options);

function objects(text: string): unknown[] {
  const parsed = parse(text);
  assert.ok('objects' in parsed, JSON.stringify(parsed));
  return parsed.objects;
}

/** `path: reason` of the only error. */
function error(bytes: string | Uint8Array, options = {}): string {
  const parsed = typeof bytes === 'string' ? parse(bytes, options) : parseManifestSync(bytes, options);
  assert.ok('errors' in parsed, 'was accepted');
  assert.equal(parsed.errors.length, 1);
  return `${parsed.errors[0]?.path}: ${parsed.errors[0]?.reason}`;
}

describe('accepted', () => {
  const rows: [string, string, unknown[]][] = [
    ['JSON', '{"a": [1, "x", null, true]}', [{ a: [1, 'x', null, true] }]],
    ['JSON after a byte order mark and blanks', '\ufeff \n{"a": 1}\n', [{ a: 1 }]],
    ['YAML', 'a:\n- 1\n- x\n', [{ a: [1, 'x'] }]],
    ['YAML flow style', '{a: 1}', [{ a: 1 }]],
    ['several documents', '---\na: 1\n---\n# nothing\n---\nb: 2\n...\n', [{ a: 1 }, { b: 2 }]],
    ['documents in JSON', '{"a": 1}\n---\n{"b": 2}\n---\nc: 3', [{ a: 1 }, { b: 2 }, { c: 3 }]],
    ['aliases', 'a: &x {b: 1}\nc: *x', [{ a: { b: 1 }, c: { b: 1 } }]],
    ['words kubectl would take for booleans stay words', 'a: yes\nb: off', [{ a: 'yes', b: 'off' }]],
    ['a version directive changes nothing', '%YAML 1.1\n---\na: yes', [{ a: 'yes' }]],
    ['a time stays text', 'a: 2026-01-01T00:00:00Z', [{ a: '2026-01-01T00:00:00Z' }]],
    ['no merging', '<<: {a: 1}', [{ '<<': { a: 1 } }]],
    ['numbers as keys are text', '1: a', [{ 1: 'a' }]],
    ['List', '{"apiVersion":"v1","kind":"List","items":[{"a":1},{"a":2}]}', [{ a: 1 }, { a: 2 }]],
    ['List in List', 'apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: PodList, items: [1]}, 2]', [1, 2]],
  ];
  for (const [what, text, expected] of rows) test(what, () => assert.deepEqual(objects(text), expected));

  test('a key named __proto__ is a key', () => {
    for (const text of ['{"__proto__": {"polluted": 1}}', '__proto__: {polluted: 1}']) {
      const [object] = objects(text) as [object];
      assert.deepEqual(Object.keys(object), ['__proto__']);
      assert.equal(Object.getPrototypeOf(object), Object.prototype);
      assert.equal('polluted' in {}, false);
    }
  });
});

describe('refused, with the place', () => {
  const rows: [string, string, RegExp][] = [
    ['nothing', '', /^: Required value/],
    ['comments', '# a\n---\n# b', /^: Required value/],
    ['an empty list', '{"apiVersion":"v1","kind":"List","items":[]}', /^: Required value/],
    ['broken JSON', '{"a": [1,\n 2 3]}', /^a: expected "," or "\]" \(line 2, column 4\)$/],
    ['JSON that goes on', '{} {}', /unexpected text after the value \(line 1, column 4\)/],
    ['JSON that ends', '{"a": {"b"', /^a.b: expected ":" after the key/],
    ['a raw line break in a string', '{"a": "x\ny"}', /not closed, or has a raw line break/],
    ['half a surrogate pair', '{"a": "\\ud800"}', /^a: .*surrogate pair \(line 1, column 7\)/],
    ['half a surrogate pair in YAML', 'a: "\\ud800"', /^a: .*surrogate/],
    ['a number beyond a double', '{"a": 1e999}', /^a: a number is too large/],
    ['infinity', 'a: .inf', /^a: a number must be finite/],
    ['equal keys', '{"a": {"b": 1,\n"b": 2}}', /^a\.b: duplicate key \(line 2, column 1\)$/],
    ['equal keys with escapes', '{"a": 1, "\\u0061": 2}', /^a: duplicate key/],
    ['equal keys in YAML', 'a:\n  b: 1\n  b: 2', /^a\.b: duplicate key \(line 3, column 3\)$/],
    ['equal keys of two kinds', '1: a\n"1": b', /^\[1\]: duplicate key|^1: duplicate key/],
    ['broken YAML', 'a: b: c', /^: not valid YAML: .*\(line 1, column 4\)/],
    ['tabs', '\ta: 1', /Tabs are not allowed.*\(line 1/],
    ['a key that is no text', '? [1]\n: 2', /a key must be a string/],
    ['an unknown tag', 'a: !!python/object x', /Unresolved tag/],
    ['binary', 'a: !!binary aGVsbG8=', /Unresolved tag/],
    ['a number that is no octal after all', 'mode: 0689', /^mode: "0689" looks like octal and is not/],
    ['an alias without an anchor', 'a: *x', /^a: no anchor "x"/],
    ['an anchor of another document', 'a: &x 1\n---\nb: *x', /no anchor "x" \(line 3/],
    ['an alias inside what it stands for', 'a: &x [*x]', /an alias stands for what it is in/],
    ['a list without items', 'apiVersion: v1\nkind: List\nitems: 1', /^items: Invalid value: must be a list/],
    ['a list of an unknown version', 'kind: List\nitems: []', /^apiVersion: /],
  ];
  for (const [what, text, expected] of rows) test(what, () => assert.match(error(text), expected));

  test('invalid UTF-8', () => {
    assert.match(error(Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d)), /not valid UTF-8/);
    assert.match(error(Uint8Array.of(0xed, 0xa0, 0x80)), /not valid UTF-8/);
  });
});

describe('bounded', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]`),
  ];
  const rows: [string, string, RegExp][] = [
    ['256 KiB', `{"a":"${'x'.repeat(256 * 1024)}"}`, /Too long: 262152 bytes: may not be more than 262144 bytes/],
    ['the billion laughs', bomb.join('\n'), /more than 100 aliases/],
    ['one alias of much, many times', `a: &a "${'x'.repeat(100_000)}"\nb: [*a, *a, *a]`, /beyond the size limit/],
    ['brackets', '['.repeat(200_000), /^(\[0\])*: nested more than 64 levels deep|nested more than 64/],
    ['braces', '{"a":'.repeat(40_000), /nested more than 64 levels deep/],
    ['YAML braces', '{a: '.repeat(40_000), /nested more than 64 levels deep/],
    ['dashes', '- '.repeat(10_000), /nested more than 64 levels deep/],
    ['question marks', '? '.repeat(10_000), /nested more than 64 levels deep/],
    ['indentation', Array.from({ length: 100 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested more than 64/],
    ['lines', 'a: b\n'.repeat(50_000), /too many lines/],
    ['line breaks', `${'\n'.repeat(200_000)}a`, /too many lines/],
    ['documents', '---\n'.repeat(60_000), /too many lines/],
    ['tags', '!!x '.repeat(60_000), /too many lines/],
  ];
  for (const [what, text, expected] of rows) test(what, () => assert.match(error(text), expected));

  test('64 levels are not too many', () => {
    const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
    assert.equal(objects(deep).length, 1);
    assert.equal(objects(`a: ${deep.slice(1, -1)}`).length, 1);
  });

  test('the limit of size is the caller’s, up to 1 MiB', () => {
    const text = JSON.stringify({ a: 'x'.repeat(500_000) });
    assert.ok('objects' in parse(text, { maxBytes: 1024 * 1024 }));
    assert.match(error(text, { maxBytes: 1000 }), /may not be more than 1000 bytes/);
    assert.match(error('x'.repeat(2 ** 20 + 1), { maxBytes: 2 ** 30 }), /may not be more than 1048576 bytes/);
  });
});

describe('properties', () => {
  const read = (text: string): unknown => parseJson(text, 64);

  test('JSON is read exactly as JSON.parse reads it', () => {
    fc.assert(fc.property(fc.json({ depthSize: 'medium' }), (text) => assert.deepEqual(read(text), JSON.parse(text))));
  });

  test('and what JSON.parse refuses is refused', () => {
    const spoiled = fc.tuple(fc.json(), fc.nat(), fc.constantFrom(...'{}[]",:\\ 0-.etn\n')).map(([text, at, with_]) => {
      const i = at % (text.length + 1);
      return text.slice(0, i) + with_ + text.slice(i + (at % 2));
    });
    fc.assert(
      fc.property(spoiled, (text) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.throws(() => read(text));
          return;
        }
        try {
          assert.deepEqual(read(text), expected);
        } catch (error) {
          assert.match(String(error), /duplicate key|surrogate|too large/);
        }
      }),
    );
  });

  test('no bytes make it throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseManifestSync(bytes)));
    const yamlish = fc.array(fc.constantFrom(...'abk:-?[]{}&*!|>\'"%#\n\n  ,01'), { maxLength: 60 });
    fc.assert(
      fc.property(yamlish, (letters) => void parse(letters.join(''))),
      { numRuns: 300 },
    );
  });
});
