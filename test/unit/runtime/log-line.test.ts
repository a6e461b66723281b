import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseLogLine } from '../../../src/runtime/logs/line.ts';

const time = '2016-10-06T00:17:09.669794202Z';

describe('CRI log line', () => {
  test('full', () =>
    assert.deepEqual(parseLogLine(`${time} stdout F hello world`), {
      time,
      stream: 'stdout',
      text: 'hello world',
      partial: false,
    }));
  test('part of a line', () => assert.equal(parseLogLine(`${time} stderr P x`)?.partial, true));
  test('text keeps its blanks', () => assert.equal(parseLogLine(`${time} stdout F   a  `)?.text, '  a  '));
  test('empty text, with and without the blank', () => {
    assert.equal(parseLogLine(`${time} stdout F `)?.text, '');
    assert.equal(parseLogLine(`${time} stdout F`)?.text, '');
  });
  test('further tags are ignored', () => assert.equal(parseLogLine(`${time} stdout P:x:y t`)?.partial, true));
  for (const line of ['', 'x', `${time} stdout`, `${time} stdin F x`, `${time} stdout Q x`, 'torn write'])
    test(`"${line}" is no line`, () => assert.equal(parseLogLine(line), undefined));
});
