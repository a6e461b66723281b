import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addition,
  isIntact,
  type PublishedPort,
  removal,
  ruleset,
  withdrawal,
} from '../../../src/runtime/network/nft.ts';

const input = { family: 'inet', table: 'edgepod', bridge: 'edgepod0', subnet: '10.88.0.0/24' } as const;

const published: PublishedPort[] = [
  { protocol: 'tcp', port: 8080, podIp: '10.88.0.5', podPort: 80 },
  { protocol: 'udp', hostIp: '192.0.2.1', port: 53, podIp: '10.88.0.6', podPort: 53 },
  { protocol: 'sctp', port: 90, podIp: '10.88.0.5', podPort: 91 },
];

describe('rule set', () => {
  test('replaces the table in one transaction', () => {
    const text = ruleset(input);
    assert.ok(text.startsWith('table inet edgepod\ndelete table inet edgepod\ntable inet edgepod {'));
  });
  test('masquerades only what leaves the subnet', () =>
    assert.match(ruleset(input), /ip saddr 10\.88\.0\.0\/24 ip daddr != 10\.88\.0\.0\/24 masquerade/));
  test('drops what comes to pods unasked', () =>
    assert.match(ruleset(input), /oifname "edgepod0" iifname != "edgepod0" drop/));
  test('published ports are elements of a map, those of one address of another', () => {
    const text = ruleset({ ...input, published });
    assert.match(text, /elements = \{ tcp \. 8080 : 10\.88\.0\.5 \. 80, sctp \. 90 : 10\.88\.0\.5 \. 91 \}/);
    assert.match(text, /elements = \{ udp \. 192\.0\.2\.1 \. 53 : 10\.88\.0\.6 \. 53 \}/);
  });
  test('without published ports the map is empty but there', () => {
    assert.match(ruleset(input), /map hostports/);
    assert.doesNotMatch(ruleset(input), /elements/);
  });
  test('removal of a table that is not there succeeds', () =>
    assert.equal(removal({ family: 'ip', table: 'edgepod' }), 'table ip edgepod\ndelete table ip edgepod\n'));

  for (const [what, bad] of [
    ['table', { table: 'x; flush ruleset' }],
    ['bridge', { bridge: 'a" drop; "' }],
    ['bridge of 16 characters', { bridge: 'a'.repeat(16) }],
    ['subnet', { subnet: '10.0.0.0/24 accept' }],
    ['address', { published: [{ protocol: 'tcp', port: 1, podIp: '::1', podPort: 1 }] }],
    ['host address', { published: [{ protocol: 'tcp', hostIp: '::1', port: 1, podIp: '10.0.0.1', podPort: 1 }] }],
    ['port', { published: [{ protocol: 'tcp', port: 0, podIp: '10.0.0.1', podPort: 1 }] }],
  ] as const)
    test(`refuses a bad ${what}`, () =>
      assert.throws(() => ruleset({ ...input, ...(bad as object) }), { step: 'nft', code: 'EINVAL' }));
});

describe('changes and repair', () => {
  const name = { family: 'inet', table: 'edgepod' } as const;
  test('single ports come and go', () => {
    assert.equal(
      addition(name, published.slice(0, 2)),
      'add element inet edgepod hostports { tcp . 8080 : 10.88.0.5 . 80 }\n' +
        'add element inet edgepod hostports_at { udp . 192.0.2.1 . 53 : 10.88.0.6 . 53 }\n',
    );
    assert.equal(
      withdrawal(name, published.slice(1, 2)),
      'delete element inet edgepod hostports_at { udp . 192.0.2.1 . 53 }\n',
    );
  });

  // What nft lists is, but for white space and names of priorities, what it was given.
  const listed = ruleset({ ...input, published })
    .replace(/^.*\ndelete.*\n/, '')
    .replace(/^\s*\n/gm, '');
  test('a complete table is intact', () => assert.ok(isIntact(listed, published)));
  for (const [what, cut, ports] of [
    ['no table', () => '', []],
    [
      'a flushed table',
      () => listed.replace(/^.*(drop|masquerade|accept|map @\w+)$/gm, '').replace(/^\s*\n/gm, ''),
      published,
    ],
    ['a missing rule', () => listed.replace('    ct status dnat accept\n', ''), published],
    ['a missing port', () => listed.replace('sctp . 90 : 10.88.0.5 . 91', ''), published],
    ['a port too many', () => listed, published.slice(1)],
  ] as const)
    test(`${what} is not`, () => assert.ok(!isIntact(cut(), [...ports])));
});
