import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filterMatches, type ParsedTopic, TopicError, Topics } from '../../../src/broker/topics.ts';

const topics = new Topics({ device: 'board-7', groups: ['canary', 'all', 'all'] });
const D = 'edgepod/devices/board-7';

describe('topics', () => {
  test('are those of the contract', () => {
    assert.equal(topics.node, `${D}/node`);
    assert.equal(topics.presence, `${D}/presence`);
    assert.equal(topics.metrics, `${D}/metrics`);
    assert.equal(topics.events, `${D}/events`);
    assert.equal(topics.podStatus('default', 'web'), `${D}/status/pods/default/web`);
    assert.equal(topics.rpcFilter, `${D}/rpc/+`);
    assert.deepEqual(topics.desiredFilters, [
      `${D}/desired/+/+/+`,
      'edgepod/groups/all/desired/+/+/+',
      'edgepod/groups/canary/desired/+/+/+',
    ]);
  });

  const key = { kind: 'pods', namespace: 'default', name: 'web' } as const;
  const parsed: [string, ParsedTopic][] = [
    [`${D}/desired/pods/default/web`, { type: 'desired', ...key, source: 'device' }],
    [
      `${D}/desired/secrets/prod/a.b-c`,
      { type: 'desired', kind: 'secrets', namespace: 'prod', name: 'a.b-c', source: 'device' },
    ],
    ['edgepod/groups/canary/desired/pods/default/web', { type: 'desired', ...key, source: 'group:canary' }],
    ['edgepod/groups/other/desired/pods/default/web', { type: 'foreign' }],
    ['edgepod/devices/board-77/desired/pods/default/web', { type: 'foreign' }],
    ['edgepod/groups/canary/rpc/logs', { type: 'foreign' }],
    [`${D}/rpc/logs`, { type: 'rpc', method: 'logs' }],
    [`${D}/status/pods/default/web`, { type: 'foreign' }],
    ['', { type: 'foreign' }],
  ];
  for (const [topic, expected] of parsed) {
    test(`parse ${topic}`, () => assert.deepEqual(topics.parse(topic), expected));
  }

  const malformed = [
    'desired/pods/default',
    'desired/pods/default/web/x',
    'desired/deployments/default/web',
    'desired/pods/Default/web',
    'desired/pods/a.b/web',
    'desired/pods/default/Web',
    'desired/pods/default/',
    `desired/pods/default/${'a'.repeat(254)}`,
    `desired/pods/${'a'.repeat(64)}/web`,
    'desired/pods/default/..',
    'rpc/Not-A-Method',
    'rpc/a/b',
  ];
  for (const rest of malformed) {
    test(`refuse ${rest.slice(0, 40)}`, () => assert.equal(topics.parse(`${D}/${rest}`).type, 'malformed'));
  }

  test('building and parsing are each other’s inverse', () => {
    for (const source of ['device', 'group:canary'] as const) {
      const wanted = { kind: 'configmaps', namespace: 'a', name: 'b.c', source } as const;
      assert.deepEqual(topics.parse(topics.desired(wanted)), { type: 'desired', ...wanted });
    }
  });

  for (const bad of ['', 'Board', 'a/b', '+', '#', '$SYS', '-a', 'a-', 'a b', 'a'.repeat(64)]) {
    test(`no device is called "${bad.slice(0, 12)}"`, () =>
      assert.throws(() => new Topics({ device: bad }), TopicError));
  }
  for (const prefix of ['', '$SYS', 'a/b/c', 'a/', 'Edge']) {
    test(`"${prefix}" is no prefix`, () => assert.throws(() => new Topics({ prefix, device: 'a' }), TopicError));
  }

  test('with the longest prefix no topic has more than seven slashes', () => {
    const long = new Topics({ prefix: 'acme/edge', device: 'a', groups: ['g'] });
    const longest = long.desired({ kind: 'pods', namespace: 'n', name: 'x', source: 'group:g' });
    assert.equal(longest.split('/').length - 1, 7);
  });

  const replies: [string, boolean][] = [
    ['edgepod/clients/cli-1/rpc', true],
    ['edgepod/clients/cli-1/rpc/7', true],
    ['edgepod/clients/cli-1', false],
    ['edgepod/clients//rpc', false],
    ['edgepod/clients/cli-1/', false],
    ['edgepod/clients/cli-1/+', false],
    ['edgepod/devices/board-8/presence', false],
    [`edgepod/clients/cli-1/${'x'.repeat(300)}`, false],
    ['', false],
  ];
  for (const [topic, expected] of replies) {
    test(`reply topic ${topic.slice(0, 40)}: ${expected}`, () => assert.equal(topics.isReplyTopic(topic), expected));
  }
});

const matches: [string, string, boolean][] = [
  ['a/+/c', 'a/b/c', true],
  ['a/+/c', 'a/b/d', false],
  ['a/+', 'a/b/c', false],
  ['a/#', 'a/b/c', true],
  ['a/#', 'a', true],
  ['a/b', 'a/b', true],
  ['a/b/c', 'a/b', false],
  ['+/+', 'a/', true],
];
for (const [filter, topic, expected] of matches) {
  test(`${filter} takes ${topic}: ${expected}`, () => assert.equal(filterMatches(filter, topic), expected));
}
