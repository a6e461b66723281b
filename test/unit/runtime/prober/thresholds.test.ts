import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { count, type Tally } from '../../../../src/runtime/prober/thresholds.ts';

const cases = readFileSync(join(import.meta.dirname, '../../../fixtures/probe-thresholds.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(/\s+/) as [string, string, string, string]);

test('there are cases', () => assert.ok(cases.length > 5));

for (const [success, failure, answers, verdicts] of cases) {
  test(`${success}/${failure}: ${answers}`, () => {
    let tally: Tally = { run: 0 };
    let seen = '';
    for (const answer of answers) {
      const thresholds = { successThreshold: Number(success), failureThreshold: Number(failure) };
      const counted = count(tally, answer === '+', thresholds);
      tally = counted.tally;
      seen += counted.changed ? answer : '.';
    }
    assert.equal(seen, verdicts);
  });
}
