import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsOf } from './fixtures.ts';

/** What is wrong, a manifest in which only that is wrong, and the one thing said of it: `path: reason`. */
export type Refusal = [what: string, raw: unknown, expected: string | RegExp];

/** `path: reason` of every error. */
export const refusalLines = (raw: unknown): string[] => errorsOf(raw).map(({ path, reason }) => `${path}: ${reason}`);

/** A test of each: it is refused, with that and nothing else. */
export function refusals(rows: Refusal[]): void {
  for (const [what, raw, expected] of rows)
    test(what, () => {
      const found = refusalLines(raw);
      assert.equal(found.length, 1, JSON.stringify(found));
      if (typeof expected === 'string') assert.equal(found[0], expected);
      else assert.match(found[0] ?? '', expected);
    });
}
