/** Whatever stands in a first-boot file: it is read without an exception, and nothing of it is lost in silence. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { agentYaml, brokerPlace, issue, networkUnit, printable } from '../../../image/firstboot/files.ts';
import { type BoardSettings, boardSettings } from '../../../image/firstboot/settings.ts';
import { fileLayer, resolveConfig, SETTINGS } from '../../../src/agent/config/config.ts';
import { SETTING_SYNTAX } from '../../../src/agent/config/setting-syntax.ts';

const example = readFileSync(new URL('../../../image/firstboot/edgepod.example.yaml', import.meta.url));
const read = (text: string) => boardSettings(text, '/boot/firmware');

/** Holds for what was read of any text: each of the board's programs can take its file. */
function usable({ agent, lan, authorizedKeys, problems }: BoardSettings): void {
  const layer = fileLayer(parse(agentYaml(agent, 'board-7'), SETTING_SYNTAX), 'agent.yaml');
  assert.deepEqual(
    new Map([...layer.values].filter(([key]) => key !== 'device' || agent.has(key))),
    new Map([...agent].map(([key, value]) => [key, value])),
  );
  assert.equal(typeof resolveConfig([layer]).device, 'string');
  assert.doesNotThrow(() => brokerPlace(agent.get('broker.url')));
  if (lan) assert.match(networkUnit(lan), /^(\[\w+\]\n|\w+=[\w.:*/% -]+\n|\n)+$/);
  for (const key of authorizedKeys) assert.match(key, /^\S+ \S+( .*)?$/);
  const notes = problems.map(({ path, reason }) => ({ feature: path, consequence: printable(`${path}: ${reason}`) }));
  for (const { consequence } of notes) assert.doesNotMatch(consequence, /\p{Cc}/u);
  assert.ok(issue('b', 'none', notes).startsWith('edgepod board b'));
}

/** Of every setting: in effect, not set, or named in a problem. */
function accounted(found: BoardSettings, document: object): void {
  for (const [path, value] of leaves(document, [])) {
    if (value === null || path === 'hostname' || path.startsWith('lan') || path.startsWith('ssh')) continue;
    const said = found.problems.some((problem) => path === problem.path || path.startsWith(`${problem.path}.`));
    assert.ok(said || found.agent.has(path), `${path} of ${JSON.stringify(document)}`);
  }
  for (const name of ['hostname', 'lan'] as const)
    if (Object.hasOwn(document, name) && (document as Record<string, unknown>)[name] !== null)
      assert.ok(found[name] !== undefined || found.problems.some(({ path }) => path.split('.')[0] === name), name);
}

function leaves(node: unknown, path: string[]): [string, unknown][] {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return [[path.join('.'), node]];
  return Object.entries(node).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

const known = [...SETTINGS.map(({ key }) => key), 'hostname', 'lan.address', 'lan.dns', 'lan.ntp', 'lan.interface'];
const names = fc.constantFrom(
  ...known.flatMap((key) => key.split('.')),
  'ssh',
  'authorizedKeys',
  ...['toString', 'constructor', '__proto__', 'then', '', 'a.b', 'a b', '\u001b[31m'],
);
const values = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    null,
    true,
    7,
    'mqtt://u:p@b',
    '10.0.0.2/24',
    '10.0.0.1',
    'ssh-ed25519 AAAA me',
    '64Mi',
    'a,b',
    '007',
  ),
  fc.double(),
);
const { document } = fc.letrec<{ node: unknown; document: object }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, values, fc.array(tie('node'), { maxLength: 3 }), tie('document')),
  document: fc.dictionary(names, tie('node'), { maxKeys: 6, noNullPrototype: true }),
}));

test('any tree of keys and values', () => {
  fc.assert(
    fc.property(document, (tree) => {
      const found = read(stringify(tree));
      usable(found);
      if (found.problems.every(({ path }) => path !== '')) accounted(found, tree);
    }),
    { numRuns: 500 },
  );
});

test('one setting with any value: taken, or its key is named', () => {
  fc.assert(
    fc.property(fc.constantFrom(...known), values, (key, value) => {
      const tree = key.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
      const found = read(stringify(tree));
      usable(found);
      accounted(found, tree);
      for (const { path } of found.problems) assert.ok(key.startsWith(path) && path !== '', `${path} for ${key}`);
    }),
    { numRuns: 500 },
  );
});

test('the example with bytes of any kind in it', () => {
  const spot = fc.tuple(fc.nat(example.length), fc.nat(40), fc.uint8Array({ maxLength: 8 }));
  fc.assert(
    fc.property(fc.array(spot, { minLength: 1, maxLength: 4 }), (spots) => {
      let bytes = example;
      for (const [at, cut, put] of spots) bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
      usable(read(bytes.toString('utf8')));
    }),
    { numRuns: 500 },
  );
});

test('deeper than anybody would nest', () => {
  for (const part of ['[', '{a: ', '- ', '? ', '&a [', '!!map {a: '])
    assert.match(read(part.repeat(Math.floor(60_000 / part.length))).problems[0]?.reason ?? '', /YAML|key: value/);
});
