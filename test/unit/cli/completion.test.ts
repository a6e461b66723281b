/** What a shell is offered; the scripts of the shells ask this hidden command. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { EDGEPOD } from '../../edgepod.ts';

/** The last word is the one that is being typed. */
function offered(...words: string[]): string[] {
  const stdout = execFileSync(EDGEPOD, ['complete', '--', ...words], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !/^:\d+$/.test(line))
    .map((line) => line.split('\t', 1)[0]!);
}

test('commands, and those below them', () => {
  assert.deepEqual(offered('des'), ['describe']);
  assert.deepEqual(offered('image', ''), ['load', 'list', 'remove', 'help']);
  assert.ok(!offered('').includes('complete'), 'the hidden one is not offered');
});

test('options', () => {
  assert.ok(offered('logs', '--').includes('--previous'));
  assert.deepEqual(offered('apply', '--wa'), ['--wait']);
});

test('kinds', () => {
  assert.deepEqual(offered('get', ''), ['pods', 'devices', 'configmaps', 'secrets', 'events']);
  assert.deepEqual(offered('delete', 'se'), ['secret']);
  assert.deepEqual(offered('top', ''), ['pods', 'devices']);
});

test('output formats', () => {
  assert.deepEqual(offered('get', 'pods', '-o', ''), ['wide', 'json', 'yaml']);
  assert.deepEqual(offered('image', 'list', '--output', 'y'), ['yaml']);
  assert.deepEqual(offered('check', '-o', ''), ['json']);
});
