import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandPage } from '../../../image/deb/man.ts';
import { program } from '../../../src/cli/program.ts';

const page = commandPage(program, '1.2.3').replaceAll('\\-', '-');
const count = (text: string) => page.split(text).length - 1;

test('edgepod(1) has every command, and what many commands have once', () => {
  for (const command of program.commands.filter((known) => known.name() !== 'complete'))
    assert.match(page, new RegExp(`^\\.SS "edgepod ${command.name()}[ "]`, 'm'), command.name());
  assert.match(page, /^\.SS "edgepod image load \[options\] <file>"$/m);
  assert.equal(count('--ca-file <file>'), 1);
  assert.equal(count('--remote-exec'), 0, 'settings are in edgepod-agent(8)');
  for (const own of ['--containers', '--drain', '--target <container>', '--for <kind/name>'])
    assert.equal(count(`.B ${own}\n`), 1, own);
});

test('edgepod(1) names every variable that the connection reads', () => {
  const source = readFileSync(new URL('../../../src/cli/connection.ts', import.meta.url), 'utf8');
  for (const [variable] of source.matchAll(/EDGEPOD_[A-Z_]+/g)) assert.ok(count(variable) > 0, variable);
});
