import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import {
  ConfigError,
  envLayer,
  fileLayer,
  flagLayer,
  resolveConfig,
  SETTINGS,
} from '../../../src/agent/config/config.ts';
import { SETTING_SYNTAX } from '../../../src/agent/config/setting-syntax.ts';

const resolve = (file: unknown, env: NodeJS.ProcessEnv = {}, flags: Record<string, unknown> = {}) =>
  resolveConfig([fileLayer(file, 'agent.yaml'), envLayer(env), flagLayer(flags)]);

describe('agent configuration', () => {
  test('flag > environment > file > default', () => {
    assert.equal(resolve({}).prefix, 'edgepod');
    assert.equal(resolve({ prefix: 'file' }).prefix, 'file');
    assert.equal(resolve({ prefix: 'file' }, { EDGEPOD_PREFIX: 'env' }).prefix, 'env');
    assert.equal(resolve({ prefix: 'file' }, { EDGEPOD_PREFIX: 'env' }, { prefix: 'flag' }).prefix, 'flag');
  });

  test('nested keys, lists, quantities', () => {
    const config = resolve({
      broker: { url: 'mqtts://b:8883', username: 'u' },
      groups: ['a', 'b'],
      resources: { reservedMemory: '64Mi' },
    });
    assert.equal(config.broker.url, 'mqtts://b:8883');
    assert.deepEqual(config.groups, ['a', 'b']);
    assert.equal(config.resources.reservedMemoryBytes, 64 << 20);
    assert.equal(config.logDir, '/var/lib/edgepod/logs');
    assert.equal(resolve({}, { EDGEPOD_BROKER: 'mqtt://e' }).broker.url, 'mqtt://e');
    assert.equal(resolve({}, {}, { dataDir: '/d' }).logDir, '/d/logs');
  });

  for (const [name, run, message] of [
    ['an unknown key', () => resolve({ brokr: { url: 'x' } }), /agent\.yaml: unknown setting "brokr\.url"/],
    [
      'a bad url',
      () => resolve({ broker: { url: 'http://x' } }),
      /agent\.yaml: broker\.url: "http:\/\/x" is not a broker address/,
    ],
    ['a bad id', () => resolve({}, { EDGEPOD_DEVICE: 'Board 7' }), /environment: device: "Board 7" is not an id/],
    [
      'a relative path',
      () => resolve({}, {}, { dataDir: 'data' }),
      /command line: dataDir: "data" must be an absolute path/,
    ],
    [
      'a bad quantity',
      () => resolve({ resources: { reservedMemory: '64 megs' } }),
      /resources\.reservedMemory: "64 megs" is not a quantity/,
    ],
    [
      'a number out of range',
      () => resolve({ resources: { maxPods: '0' } }),
      /resources\.maxPods: "0" must be a whole number/,
    ],
  ] as const)
    test(`refused: ${name}`, () =>
      assert.throws(run, (error: Error) => error instanceof ConfigError && message.test(error.message)));

  test('a value is the text that stands in the file, whatever YAML would make of it', () => {
    const file = (text: string) => resolve(parse(text, SETTING_SYNTAX));
    const { device, broker, network } = file(
      'device: 007\nbroker: { username: 1e3, password: 0123 }\nnetwork:\n  # bridge: b\n',
    );
    assert.deepEqual([device, broker.username, broker.password, network], ['007', '1e3', '0123', {}]);
    assert.equal(file('remoteExec: True').remoteExec, true);
    assert.equal(file('resources: { maxPods: 0x10 }').resources.maxPods, 16);
    assert.equal(file('device: "null"').device, 'null');
    for (const text of ['groups: [{ toString: a }]', 'device: { a: b }'])
      assert.throws(() => file(text), /must be a plain value/);
    assert.throws(() => file('resources: { maxPods: "" }'), /must be a whole number/);
  });

  test('config/agent.yaml is accepted and says what the defaults are', () => {
    const text = readFileSync(new URL('../../../config/agent.yaml', import.meta.url), 'utf8');
    const file = parse(text, SETTING_SYNTAX);
    assert.deepEqual(resolve(file), resolve({}));
  });

  test('config/agent.yaml mentions every setting but the password itself', () => {
    const text = readFileSync(new URL('../../../config/agent.yaml', import.meta.url), 'utf8');
    for (const { key } of SETTINGS.filter((setting) => setting.key !== 'broker.password'))
      assert.match(text, new RegExp(`\\b${key.split('.').at(-1)}:`), key);
  });

  test('variables and flags are unique', () => {
    assert.equal(new Set(SETTINGS.map(({ env }) => env)).size, SETTINGS.length);
    assert.equal(new Set(SETTINGS.map(({ flag }) => flag)).size, SETTINGS.length);
  });
});
