import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { removal, ruleset } from '../../../src/runtime/network/nft.ts';

const input = { family: 'inet', table: 'edgepod', bridge: 'edgepod0', subnet: '10.88.0.0/24' } as const;

describe('rule set', () => {
  test('replaces the table in one transaction', () => {
    const text = ruleset(input);
    assert.ok(text.startsWith('table inet edgepod\ndelete table inet edgepod\ntable inet edgepod {'));
  });
  test('masquerades only what leaves the subnet', () =>
    assert.match(ruleset(input), /ip saddr 10\.88\.0\.0\/24 ip daddr != 10\.88\.0\.0\/24 masquerade/));
  test('drops what comes to pods unasked', () =>
    assert.match(ruleset(input), /oifname "edgepod0" iifname != "edgepod0" drop/));
  test('published ports are elements of the map', () => {
    const hostPorts = [
      { protocol: 'tcp', port: 8080, podIp: '10.88.0.5', podPort: 80 },
      { protocol: 'udp', port: 53, podIp: '10.88.0.6', podPort: 53 },
    ] as const;
    assert.match(
      ruleset({ ...input, hostPorts: [...hostPorts] }),
      /elements = \{ tcp \. 8080 : 10\.88\.0\.5 \. 80, udp \. 53 : 10\.88\.0\.6 \. 53 \}/,
    );
  });
  test('without published ports the map is empty but there', () => {
    assert.match(ruleset(input), /map hostports/);
    assert.doesNotMatch(ruleset(input), /elements/);
  });
  test('removal of a table that is not there succeeds', () =>
    assert.equal(removal('ip', 'edgepod'), 'table ip edgepod\ndelete table ip edgepod\n'));

  for (const [what, bad] of [
    ['table', { table: 'x; flush ruleset' }],
    ['bridge', { bridge: 'a" drop; "' }],
    ['bridge of 16 characters', { bridge: 'a'.repeat(16) }],
    ['subnet', { subnet: '10.0.0.0/24 accept' }],
    ['address', { hostPorts: [{ protocol: 'tcp', port: 1, podIp: '::1', podPort: 1 }] }],
    ['port', { hostPorts: [{ protocol: 'tcp', port: 0, podIp: '10.0.0.1', podPort: 1 }] }],
  ] as const)
    test(`refuses a bad ${what}`, () =>
      assert.throws(() => ruleset({ ...input, ...(bad as object) }), { step: 'nft', code: 'EINVAL' }));
});
