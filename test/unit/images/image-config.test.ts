import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImageConfig } from '../../../src/images/image-config.ts';

const diffId = `sha256:${'0'.repeat(64)}`;

/** An image configuration as text, with `config` members replaced. */
function image(config: object, rest: object = {}): string {
  return JSON.stringify({
    os: 'linux',
    architecture: 'arm64',
    rootfs: { type: 'layers', diff_ids: [diffId] },
    config,
    ...rest,
  });
}

describe('image configuration', () => {
  test('what counts is taken, null is as good as absent', () => {
    const text = image({
      Env: ['PATH=/bin', 'EMPTY=', 'A=b=c'],
      Entrypoint: ['/entry'],
      Cmd: null,
      WorkingDir: '/srv',
      User: 'www-data:33',
      StopSignal: 'SIGQUIT',
    });
    assert.deepEqual(parseImageConfig(text), {
      os: 'linux',
      architecture: 'arm64',
      diffIds: [diffId],
      config: {
        env: ['PATH=/bin', 'EMPTY=', 'A=b=c'],
        entrypoint: ['/entry'],
        cmd: [],
        workingDir: '/srv',
        user: 'www-data:33',
        stopSignal: 'SIGQUIT',
      },
    });
  });

  test('T-33: only KEY=VALUE is environment; names alone never reach into the agent’s own', () => {
    const { config } = parseImageConfig(image({ Env: ['FOO', 'PATH*', '*', '=x', 'A=1'] }));
    assert.deepEqual(config.env, ['A=1']);
  });

  test('T-26: labels, and members with our own names, change nothing', () => {
    const plain = parseImageConfig(image({ Cmd: ['x'] }));
    const labelled = image({ Cmd: ['x'], Labels: { 'io.edgepod.rootfs.upperdir': '/etc' }, 'io.edgepod': 1 });
    assert.deepEqual(parseImageConfig(labelled), plain);
  });

  test('T-25: volumes are not interpreted', () => {
    assert.doesNotThrow(() => parseImageConfig(image({ Volumes: { '/../../etc': {} } })));
  });

  for (const user of ['0', '1000', '1000:1000', '2147483647', 'nobody', 'a:b', ''])
    test(`user "${user}" is taken`, () => assert.equal(parseImageConfig(image({ User: user })).config.user, user));

  for (const user of [
    '2147483648',
    '4294967296',
    '0:4294967296',
    '99999999999999999999',
    'a b',
    'a:b:c',
    'x\n',
    'x'.repeat(300),
  ])
    test(`T-24: user ${JSON.stringify(user.slice(0, 30))} is refused`, () => {
      assert.throws(() => parseImageConfig(image({ User: user })), { code: 'ArchiveInvalid', message: /config\.User/ });
    });

  test('a relative working directory is one below the root', () => {
    assert.equal(parseImageConfig(image({ WorkingDir: 'srv/www' })).config.workingDir, '/srv/www');
  });

  for (const signal of ['SIGTERM', 'TERM', 'SIGRTMIN+3', '15', ''])
    test(`stop signal "${signal}"`, () => {
      assert.equal(parseImageConfig(image({ StopSignal: signal })).config.stopSignal, signal);
    });

  const refused: [string, string, RegExp][] = [
    ['no JSON', '{', /not JSON/],
    ['a list', '[]', /the document must be an object/],
    ['no architecture', image({}, { architecture: undefined }), /architecture/],
    ['no layers', image({}, { rootfs: { diff_ids: [] } }), /rootfs\.diff_ids/],
    ['no rootfs', image({}, { rootfs: null }), /rootfs/],
    ['a path for a diff id', image({}, { rootfs: { diff_ids: ['../../etc'] } }), /rootfs\.diff_ids/],
    ['200 layers', image({}, { rootfs: { diff_ids: Array(200).fill(diffId) } }), /1 to 127/],
    ['a number in Env', image({ Env: [1] }), /config\.Env/],
    ['a shell string for Cmd', image({ Cmd: 'echo hi' }), /config\.Cmd/],
    ['NUL in Cmd', image({ Cmd: ['a\0b'] }), /config\.Cmd/],
    ['a path for a signal', image({ StopSignal: '../x' }), /config\.StopSignal/],
  ];
  for (const [what, text, reason] of refused)
    test(`${what} is refused`, () => {
      assert.throws(() => parseImageConfig(text), { name: 'ImageError', code: 'ArchiveInvalid', message: reason });
    });
});
