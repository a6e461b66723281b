import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { agentYaml, brokerPlace, issue, networkUnit } from '../../../image/firstboot/files.ts';
import { boardSettings } from '../../../image/firstboot/settings.ts';

const read = (text: string) => boardSettings(text, '/boot/firmware');

test('settings of the agent, names of files beside edgepod.yaml, and what only a board has', () => {
  const found = read(
    '\uFEFFdevice: board-7\r\nhostname: kitchen\r\nbroker:\r\n  url: mqtts://b:8883\r\n  caFile: ca.pem\r\ngroups: [a, b]\r\n',
  );
  assert.deepEqual(found.problems, []);
  assert.equal(found.hostname, 'kitchen');
  assert.equal(found.agent.get('broker.caFile'), '/boot/firmware/ca.pem');
  assert.deepEqual(parse(agentYaml(found.agent, 'board-7')), {
    device: 'board-7',
    broker: { url: 'mqtts://b:8883', caFile: '/boot/firmware/ca.pem' },
    groups: ['a', 'b'],
  });
});

test('a value is the text that stands there; a section with every line commented out is none', () => {
  const found = read('device: 007\nbroker:\n  password: 0123\nlan:\nssh:\nhostname:\nlog:\n  # level: debug\n');
  assert.deepEqual(found.problems, []);
  assert.deepEqual(
    [...found.agent],
    [
      ['device', '007'],
      ['broker.password', '0123'],
    ],
  );
});

const wrong: [text: string, path: string, reason: RegExp][] = [
  ['a: [', '', /not YAML/],
  ['- a\n', '', /key: value/],
  ['x: &a [1]\ny: *a\n', '', /alias/i],
  [`# ${'x'.repeat(70_000)}`, '', /bytes long/],
  ['device: Board 7\n', 'device', /not an id/],
  ['broker: { url: "http://b" }\n', 'broker.url', /not a broker address/],
  ['brokr: { url: "mqtt://b" }\n', 'brokr.url', /no such setting/],
  ['hostname: Not_A_Name\n', 'hostname', /not a host name/],
  ['lan: { address: 192.168.1.20 }\n', 'lan.address', /prefix length/],
  ['lan: { address: { toString: 1 } }\n', 'lan.address', /prefix length/],
  ['lan: { address: 10.0.0.1/24/8 }\n', 'lan.address', /prefix length/],
  ['lan: { address: 10.0.0.1/0 }\n', 'lan.address', /prefix length/],
  ['lan: { address: 10.0.0.0/24 }\n', 'lan.address', /address of a host/],
  ['lan: { address: "fe80::1%eth0/64" }\n', 'lan.address', /prefix length/],
  ['lan: { address: 10.0.0.2/24, gateway: 10.0.1.1 }\n', 'lan.gateway', /not in the network/],
  ['lan: { address: 10.0.0.2/24, gateway: "fd00::1" }\n', 'lan.gateway', /not in the network/],
  ['lan: { gateway: 10.0.0.1 }\n', 'lan.gateway', /not in the network/],
  ['lan: { interface: "*" }\n', 'lan.interface', /wired interface/],
  ['lan: { interface: "e*" }\n', 'lan.interface', /wired interface/],
  ['network: { subnet: 10.88.0.0/31 }\n', 'network.subnet', /from \/8 to \/30/],
  ['broker: { url: "mqtt://" }\n', 'broker.url', /not a broker address/],
  ['broker: { url: "mqtt://board:50%@b" }\n', 'broker.url', /written %25/],
  ['lan: { constructor: 1 }\n', 'lan.constructor', /no such setting/],
  ['groups: [{ toString: 1 }]\n', 'groups', /plain value/],
  ['ssh: { authorizedKeys: ["rm -rf /"] }\n', 'ssh.authorizedKeys[0]', /not a public key/],
];
for (const [text, path, reason] of wrong)
  test(`refused: ${text.slice(0, 40).trim()}`, () => {
    const problem = read(text).problems.find((candidate) => candidate.path === path);
    assert.match(problem?.reason ?? '', reason);
  });

test('one wrong setting costs that setting alone', () => {
  const found = read('device: board-7\nhostname: UPPER\nbroker: { url: nonsense, username: u }\n');
  assert.deepEqual(
    [...found.agent],
    [
      ['device', 'board-7'],
      ['broker.username', 'u'],
    ],
  );
  assert.equal(found.problems.length, 2);
});

test('a password in a wrong address is not shown', () => {
  for (const url of ['mqtts//board:secret@b', 'http://board:secret@b', 'mqtt://board:secret%@b'])
    assert.doesNotMatch(JSON.stringify(read(`broker: { url: "${url}" }\n`).problems), /secret/, url);
});

test('addresses of hosts, and gateways beside them', () => {
  for (const lan of [
    '{ address: 10.0.0.2/31, gateway: 10.0.0.3 }',
    '{ address: 10.0.0.2/32 }',
    '{ address: "fd00::2/64", gateway: "fd00::1" }',
    '{ address: "fd00::2/64", gateway: "fe80::1" }',
    '{ interface: "en*" }',
    '{ interface: end0 }',
  ])
    assert.deepEqual(read(`lan: ${lan}\n`).problems, [], lan);
});

test('a static address with one wrong part is not used in part', () => {
  assert.equal(read('lan: { address: 10.0.0.2/24, gateway: nowhere }\n').lan, undefined);
});

test('network unit', () => {
  const { lan } = read('lan: { interface: eth0, address: 10.0.0.2/24, gateway: 10.0.0.1, dns: [10.0.0.1] }\n');
  assert.equal(
    networkUnit(lan!),
    '[Match]\nName=eth0\n\n[Network]\nAddress=10.0.0.2/24\nGateway=10.0.0.1\nDNS=10.0.0.1\n',
  );
  assert.match(networkUnit({ interface: 'eth0', dns: [], ntp: [] }), /^DHCP=yes\n\n\[DHCPv4\]\nClientIdentifier=mac$/m);
});

test('what is shown at the login prompt has no escapes of others', () => {
  assert.ok(
    !issue('b', 'none', [{ feature: 'edgepod.yaml', consequence: 'a\\4b' }])
      .split('\n')
      .slice(1)
      .join()
      .includes('\\'),
  );
});

test('nor the password of the broker', () => {
  assert.equal(brokerPlace('mqtts://board:secret@b.example:8883'), 'mqtts://b.example:8883');
  assert.equal(brokerPlace(undefined), 'none');
});
