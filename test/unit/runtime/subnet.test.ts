import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  chooseSubnet,
  defaultInterface,
  formatAddress,
  overlaps,
  parseAddress,
  parseCidr,
  parseRoutes,
  subnet,
} from '../../../src/runtime/network/subnet.ts';

const range = (cidr: string) => {
  const parsed = parseCidr(cidr);
  assert.ok(parsed, cidr);
  return parsed;
};

/** As printed by the kernel: eth0 with a default route, its network, a VPN, and our own bridge. */
const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	100	00000000	0	0	0
wlan0	00000000	010300C0	0003	0	0	600	00000000	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
tun0	0000580A	00000000	0001	0	0	0	00FEFFFF	0	0	0
edgepod0	0003580A	00000000	0001	0	0	0	00FFFFFF	0	0	0
`;

describe('addresses', () => {
  for (const [text, number] of [
    ['0.0.0.0', 0],
    ['10.88.0.1', 0x0a580001],
    ['255.255.255.255', 0xffffffff],
  ] as const) {
    test(text, () => {
      assert.equal(parseAddress(text), number);
      assert.equal(formatAddress(number), text);
    });
  }
  for (const text of ['', '10.88.0', '10.88.0.256', '10.88.0.1.2', 'a.b.c.d', '10.88.0.1/24', ' 10.88.0.1'])
    test(`refuses "${text}"`, () => assert.equal(parseAddress(text), undefined));
  for (const text of ['10.88.0.0', '10.88.0.0/', '10.88.0.0/33', '10.88.0.0/x', '/24'])
    test(`refuses subnet "${text}"`, () => assert.equal(parseCidr(text), undefined));
});

describe('subnet', () => {
  test('host bits are dropped; gateway first, broadcast left out', () => {
    assert.deepEqual(subnet('10.88.7.99/24'), {
      cidr: '10.88.7.0/24',
      prefix: 24,
      gateway: '10.88.7.1',
      firstPod: '10.88.7.2',
      lastPod: '10.88.7.254',
    });
  });
  test('the smallest one holds one pod', () => {
    const { gateway, firstPod, lastPod } = subnet('10.0.0.4/30');
    assert.deepEqual([gateway, firstPod, lastPod], ['10.0.0.5', '10.0.0.6', '10.0.0.6']);
  });
  for (const text of ['10.0.0.0/31', '0.0.0.0/0', 'fe80::/64', 'nonsense'])
    test(`refuses ${text}`, () => assert.throws(() => subnet(text), { code: 'EINVAL', step: 'subnet' }));
});

describe('choosing', () => {
  test('the configured one is taken as it is', () =>
    assert.equal(
      chooseSubnet({ configured: '172.30.0.0/16', remembered: '10.88.1.0/24', routes: [] }).cidr,
      '172.30.0.0/16',
    ));
  test('the remembered one is kept although a route overlaps', () =>
    assert.equal(chooseSubnet({ remembered: '10.88.1.0/24', routes: [range('10.88.0.0/16')] }).cidr, '10.88.1.0/24'));
  test('the first /24 of the pool when nothing is in the way', () =>
    assert.equal(chooseSubnet({ routes: [range('192.168.0.0/16')] }).cidr, '10.88.0.0/24'));
  test('routes inside the pool are stepped over', () =>
    assert.equal(chooseSubnet({ routes: [range('10.88.0.0/23'), range('10.88.2.128/25')] }).cidr, '10.88.3.0/24'));
  test('a pool that is routed as a whole is an error that says what to do', () =>
    assert.throws(() => chooseSubnet({ routes: [range('10.0.0.0/8')] }), {
      code: 'EADDRINUSE',
      message: /network\.subnet/,
    }));
  test('a remembered one that is no subnet is not believed', () =>
    assert.equal(chooseSubnet({ remembered: 'garbage', routes: [] }).cidr, '10.88.0.0/24'));
});

describe('the routing table', () => {
  test('destinations without default routes and the own bridge', () =>
    assert.deepEqual(
      parseRoutes(ROUTES, 'edgepod0').map(({ first, size }) => [formatAddress(first), size]),
      [
        ['192.0.2.0', 256],
        ['10.88.0.0', 512],
      ],
    ));
  test('the chosen subnet avoids them', () =>
    assert.equal(chooseSubnet({ routes: parseRoutes(ROUTES, 'edgepod0') }).cidr, '10.88.2.0/24'));
  test('way out: the default route with the lowest metric', () => assert.equal(defaultInterface(ROUTES), 'eth0'));
  test('offline there is none', () => assert.equal(defaultInterface(''), undefined));
  test('overlap is symmetric and half-open', () => {
    assert.ok(overlaps(range('10.0.0.0/8'), range('10.88.0.0/24')));
    assert.ok(overlaps(range('10.88.0.0/24'), range('10.0.0.0/8')));
    assert.ok(!overlaps(range('10.88.0.0/24'), range('10.88.1.0/24')));
  });
});
