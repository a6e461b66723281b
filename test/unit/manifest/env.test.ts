import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { containerCommand } from '../../../src/manifest/command.ts';
import { ExpansionError, expandReferences, processEnvironment } from '../../../src/manifest/env.ts';
import { containerVariablesFrom } from '../../../src/manifest/env-sources.ts';
import type { EnvVar } from '../../../src/manifest/types/env.ts';
import { container, pod } from '../pods/fixtures.ts';

const containerVariables = (env: EnvVar[]) =>
  containerVariablesFrom({
    file: () => undefined,
    pod: pod('p'),
    container: container('c', { env }),
    objects: { configMap: () => undefined, secret: () => undefined },
    facts: { uid: 'u', nodeName: 'n', allocatable: { cpu: '4', memory: '1Gi', 'ephemeral-storage': '8Gi' } },
  }).variables;

describe('$(VAR)', () => {
  const variables = new Map([
    ['A', '1'],
    ['EMPTY', ''],
    ['LOOP', '$(LOOP)'],
    ['a b', 'space'],
  ]);
  // The rows of Kubernetes' own expansion tests, and what is odd about them.
  const rows: [string, string][] = [
    ['$(A)', '1'],
    ['x$(A)y$(A)', 'x1y1'],
    ['$(EMPTY)', ''],
    ['$(NOT)', '$(NOT)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$$$$(A)', '$$(A)'],
    ['$', '$'],
    ['$$', '$'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['$(A$$', '$(A$'],
    ['A)', 'A)'],
    ['$()', '$()'],
    ['$($(A))', '$($(A))'],
    ['$(LOOP)', '$(LOOP)'],
    ['$(a b)', 'space'],
    ['', ''],
    ['\n$(A)\n', '\n1\n'],
  ];
  for (const [text, expanded] of rows)
    test(JSON.stringify(text), () => assert.equal(expandReferences(text, variables), expanded));

  test('a value sees the variables before it, and the last definition of a name counts', () => {
    const env = [
      { name: 'B', value: '$(A)' },
      { name: 'A', value: '1' },
      { name: 'C', value: '$(A)$(C)' },
      { name: 'A', value: '$(A)2' },
    ];
    assert.deepEqual(
      [...containerVariables(env)],
      [
        ['B', '$(A)'],
        ['A', '12'],
        ['C', '1$(C)'],
      ],
    );
  });

  test('doubling ends in an error, not in the memory of the agent', () => {
    const env = Array.from({ length: 60 }, (_, i) => ({ name: `V${i + 1}`, value: `$(V${i})$(V${i})` }));
    assert.throws(() => containerVariables([{ name: 'V0', value: 'x' }, ...env]), ExpansionError);
  });

  test('many unfinished references take linear time', () => {
    const text = '$('.repeat(60_000);
    assert.equal(expandReferences(text, variables), text);
  });
});

describe('environment of a process', () => {
  test('image over defaults, container over image, in a fixed order', () => {
    const environment = processEnvironment({
      image: ['PATH=/bin', 'LANG=C', 'EQUALS=a=b'],
      container: new Map([['LANG', 'de']]),
      hostname: 'web',
    });
    assert.deepEqual(environment, ['PATH=/bin', 'HOSTNAME=web', 'LANG=de', 'EQUALS=a=b']);
  });

  test('a malformed image entry never names a variable of the agent', () => {
    const environment = processEnvironment({
      image: ['FOO', 'PATH*', '*', '=x', '', 'A\0B=c', 'HOME'],
      container: new Map(),
      hostname: 'web',
    });
    assert.deepEqual(environment, [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=web',
    ]);
  });
});

describe('command', () => {
  const image = { entrypoint: ['entry', '$(A)'], cmd: ['cmd'] };
  const variables = new Map([['A', '1']]);
  const rows: [string, { command?: string[]; args?: string[] }, string[]][] = [
    ['neither: the image, not expanded', {}, ['entry', '$(A)', 'cmd']],
    ['args replace cmd', { args: ['x$(A)'] }, ['entry', '$(A)', 'x1']],
    ['command replaces both', { command: ['run'] }, ['run']],
    ['both', { command: ['run', '$(A)'], args: ['$$(A)'] }, ['run', '1', '$(A)']],
    ['empty lists are absent', { command: [], args: [] }, ['entry', '$(A)', 'cmd']],
  ];
  for (const [what, given, expected] of rows)
    test(what, () => assert.deepEqual(containerCommand({ ...given, image, variables }), expected));

  test('nothing anywhere', () => {
    assert.deepEqual(containerCommand({ image: { entrypoint: [], cmd: [] }, variables }), []);
  });
});
