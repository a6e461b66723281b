import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  compareQuantities,
  formatNano,
  parseNano,
  parseQuantity,
  parseUnits,
  QuantityError,
} from '../../../src/manifest/quantity.ts';

describe('quantities', () => {
  const units: [string, bigint][] = [
    ['0', 0n],
    ['1', 1n],
    ['+1', 1n],
    ['-1', -1n],
    ['1.', 1n],
    ['.5Ki', 512n],
    ['1.5Gi', 1610612736n],
    ['64Mi', 67108864n],
    ['1k', 1000n],
    ['1E', 10n ** 18n],
    ['1Ei', 2n ** 60n],
    ['1e3', 1000n],
    ['1E3', 1000n],
    ['12E+2', 1200n],
    ['5e-1', 1n],
    ['1e-30', 1n],
    ['100m', 1n],
    ['-100m', 0n],
    ['1u', 1n],
    ['9223372036854775807', 2n ** 63n - 1n],
  ];
  for (const [text, value] of units) test(`${text} is ${value} units`, () => assert.equal(parseUnits(text), value));

  const milli: [string, bigint][] = [
    ['1', 1000n],
    ['0.5', 500n],
    ['500m', 500n],
    ['1n', 1n],
    ['1500u', 2n],
    ['0.0001', 1n],
    ['-0.0001', 0n],
  ];
  for (const [text, value] of milli)
    test(`${text} is ${value} thousandths`, () => assert.equal(parseQuantity(text), value));

  test('finer than a billionth is rounded away from zero', () => {
    assert.equal(parseNano('0.0000000001'), 1n);
    assert.equal(parseNano('-0.0000000001'), -1n);
  });

  const bad = [
    '',
    '.',
    '-',
    ' 1',
    '1 ',
    '1 Mi',
    'Mi',
    '1ki',
    '1K',
    '1mi',
    '1Mib',
    '0x10',
    '1e',
    '1e1.5',
    '1e31',
    '1_000',
  ];
  bad.push('٣', 'NaN', 'Infinity', '9223372036854775808', '8Ei', '1'.repeat(65), '1\n');
  for (const text of bad)
    test(`${JSON.stringify(text.slice(0, 20))} is none`, () => assert.throws(() => parseNano(text), QuantityError));

  test('formatted, a value is the same value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 92n), max: 2n ** 92n }), fc.boolean(), (nano, binary) => {
        assert.equal(parseNano(formatNano(nano, binary)), nano);
      }),
    );
    assert.equal(formatNano(parseNano('65536Ki'), true), '64Mi');
    assert.equal(formatNano(parseNano('0.5')), '500m');
    assert.equal(formatNano(parseNano('1500M')), '1500M');
  });

  test('texts are ordered as the numbers they stand for', () => {
    const thousandths = fc.integer({ min: -1_000_000, max: 1_000_000 });
    const spelled = (value: number, how: number) =>
      [`${value}m`, `${value * 1000}u`, String(value / 1000), `${value}e-3`][how % 4] as string;
    fc.assert(
      fc.property(thousandths, thousandths, fc.nat(3), fc.nat(3), (a, b, howA, howB) => {
        assert.equal(compareQuantities(spelled(a, howA), spelled(b, howB)), Math.sign(a - b));
      }),
    );
  });
});
