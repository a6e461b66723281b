/** Containers added to a pod that runs: from a plain manifest and by `edgepod debug`, with agents killed in between. */
import assert from 'node:assert/strict';
import { globSync, readlinkSync, rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Pod } from '../../../src/manifest/types/pod.ts';
import type { ContainerStatus } from '../../../src/manifest/types/status.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { type Manifest, restarts, running, SLEEP, shellPod, state } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open({ settings: ['--remote-exec', 'true'] });
  await board.load(await demoImage('debian'));
});
after(async () => assert.deepEqual(await board.close(), []));

const shell = (name: string, sh: string, more: object = {}) => ({
  name,
  image: 'debian',
  command: ['/bin/sh', '-c', sh],
  ...more,
});
const withDebug = (pod: Manifest, ...ephemeralContainers: object[]): Manifest => ({
  ...pod,
  spec: { ...pod.spec, ephemeralContainers },
});
const ephemeral = (pod: Pod, name: string): ContainerStatus | undefined =>
  pod.status?.ephemeralContainerStatuses?.find((status) => status.name === name);
const isRunning = (name: string) => (pod: Pod) => ephemeral(pod, name)?.state.running !== undefined;
const hasEnded = (name: string) => (pod: Pod) => ephemeral(pod, name)?.state.terminated !== undefined;
const logs = async (pod: string, container: string) => (await board.edgepod(['logs', pod, '-c', container])).stdout;

/** The manifest that runs, and what must not change of it. */
async function run(pod: Manifest): Promise<{ same: (pod: Pod) => void }> {
  const { name } = pod.metadata as { name: string };
  await board.desire(name, pod);
  const first = await board.pod(name, running);
  const { uid } = first.metadata;
  const ids = first.status?.containerStatuses.map(({ containerID }) => containerID);
  return {
    same: (now) => {
      assert.equal(now.metadata.uid, uid);
      assert.deepEqual(
        now.status?.containerStatuses.map(({ containerID }) => containerID),
        ids,
      );
      for (const c of now.status?.containerStatuses ?? []) assert.equal(restarts(now, c.name), 0);
    },
  };
}

describe('a manifest with a container more', () => {
  test('it is started beside the others, which run on; it runs once', async () => {
    const pod = shellPod('once', [{ sh: SLEEP }]);
    const { same } = await run(pod);
    await board.desire('once', withDebug(pod, shell('dbg', 'echo here; exit 3')));
    const ended = await board.pod('once', hasEnded('dbg'));
    same(ended);
    const status = ephemeral(ended, 'dbg');
    assert.deepEqual([status?.state.terminated?.exitCode, status?.restartCount, status?.ready], [3, 0, false]);
    assert.equal(ended.status?.phase, 'Running');
    assert.equal(await logs('once', 'dbg'), 'here\n');
    // A manifest without it, and one with another: the first stays, as it ended.
    await board.desire('once', { ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } });
    await board.pod('once', (now) => now.metadata.labels?.a === 'b');
    await board.desire('once', withDebug(pod, shell('two', SLEEP)));
    const both = await board.pod('once', isRunning('two'));
    same(both);
    assert.deepEqual(ephemeral(both, 'dbg')?.state.terminated?.containerID, status?.containerID);
    await board.undesire('once');
  });

  test('one that is there already cannot be changed; what contradicts the rules is refused', async () => {
    const pod = shellPod('fixed', [{ sh: SLEEP }]);
    const { same } = await run(pod);
    await board.desire('fixed', withDebug(pod, shell('dbg', SLEEP)));
    await board.pod('fixed', isRunning('dbg'));
    await board.desire('fixed', withDebug(pod, shell('dbg', 'echo other')));
    const refused = await board.pod('fixed', (now) => now.status?.errors !== undefined);
    assert.deepEqual(refused.status?.errors, [
      {
        path: 'spec.ephemeralContainers[0]',
        reason: 'Forbidden: existing ephemeral containers "dbg" may not be changed',
      },
    ]);
    assert.deepEqual(refused.spec.ephemeralContainers?.[0]?.command, ['/bin/sh', '-c', SLEEP]);
    await board.desire('fixed', withDebug(pod, shell('c0', SLEEP, { ports: [{ containerPort: 80 }] })));
    const invalid = await board.pod('fixed', (now) => now.status?.errors?.length === 2);
    assert.deepEqual(invalid.status?.errors?.map(({ path }) => path).sort(), [
      'spec.ephemeralContainers[0].name',
      'spec.ephemeralContainers[0].ports',
    ]);
    same(invalid);
    assert.ok(isRunning('dbg')(invalid));
    await board.undesire('fixed');
  });

  test('a pod that begins with one runs without it, and says so', async () => {
    const pod = shellPod('fresh', [{ sh: SLEEP }]);
    await board.desire('fresh', withDebug(pod, shell('dbg', 'echo here')));
    const first = await board.pod('fresh', running);
    assert.equal(ephemeral(first, 'dbg')?.state.terminated?.reason, 'NotStarted');
    await board.desire('fresh', withDebug(pod, shell('dbg', 'echo here'), shell('next', SLEEP)));
    const next = await board.pod('fresh', isRunning('next'));
    assert.equal(ephemeral(next, 'dbg')?.state.terminated?.reason, 'NotStarted');
    await board.undesire('fresh');
  });

  test('targetContainerName: its processes are seen, and its PID namespace is joined', async () => {
    const pod = shellPod('target', [{ sh: `: target; ${SLEEP}` }, { sh: SLEEP }]);
    await run(pod);
    await board.desire('target', withDebug(pod, shell('dbg', SLEEP, { targetContainerName: 'c0' })));
    await board.pod('target', isRunning('dbg'));
    const first = await board.edgepod(['exec', 'target', '-c', 'dbg', '--', 'cat', '/proc/1/cmdline']);
    assert.match(first.stdout, /: target;/);
    const exec = await board.edgepod(['exec', 'target', '-c', 'dbg', '--', 'readlink', '/proc/self/ns/pid']);
    const others = await Promise.all(
      ['c0', 'c1'].map((c) => board.edgepod(['exec', 'target', '-c', c, '--', 'readlink', '/proc/self/ns/pid'])),
    );
    assert.equal(exec.stdout, others[0]?.stdout);
    assert.notEqual(exec.stdout, others[1]?.stdout);
    assert.notEqual(exec.stdout.trim(), readlinkSync('/proc/self/ns/pid'));
    // Its end takes nothing along; the end of the target takes it along, as its namespace ends.
    await board.edgepod(['exec', 'target', '-c', 'c0', '--', 'sh', '-c', 'kill -TERM 1']);
    const ended = await board.pod('target', hasEnded('dbg'));
    assert.equal(ephemeral(ended, 'dbg')?.state.terminated?.exitCode, 137);
    await board.pod('target', (now) => restarts(now) === 1 && running(now));
    await board.undesire('target');
  });

  test('an image that is not there holds up nobody; a pod that ends does not wait for it', async () => {
    const pod = shellPod(
      'ends',
      [{ sh: 'while ! test -e /v/go; do sleep 0.05; done', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      {
        restartPolicy: 'Never',
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    );
    await run(pod);
    const mounted = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    await board.desire('ends', withDebug(pod, { name: 'none', image: 'absent' }, shell('dbg', SLEEP, mounted)));
    const now = await board.pod(
      'ends',
      (p) =>
        isRunning('dbg')(p) &&
        /^ErrImagePull|^ImagePullBackOff/.test(ephemeral(p, 'none')?.state.waiting?.reason ?? ''),
    );
    assert.equal(now.status?.phase, 'Running');
    await board.edgepod(['exec', 'ends', '-c', 'dbg', '--', 'touch', '/v/go']);
    const over = await board.pod('ends', (p) => p.status?.phase === 'Succeeded');
    assert.ok(hasEnded('dbg')(over));
    await board.undesire('ends');
  });
});

describe('a killed agent', () => {
  test('what was added runs on and is not run again; what was added meanwhile is started', async () => {
    const pod = shellPod('killed', [{ sh: SLEEP }]);
    const { same } = await run(pod);
    const [long, short] = [shell('long', `echo long; ${SLEEP}`), shell('short', 'echo short')];
    await board.desire('killed', withDebug(pod, long, short));
    const before = await board.pod('killed', (p) => isRunning('long')(p) && hasEnded('short')(p));
    await board.stopAgent('SIGKILL');
    await board.desire('killed', withDebug(pod, long, short, shell('late', SLEEP)));
    await board.startAgent();
    const now = await board.pod('killed', isRunning('late'));
    same(now);
    assert.deepEqual(ephemeral(now, 'long')?.state, ephemeral(before, 'long')?.state);
    assert.deepEqual(ephemeral(now, 'short')?.state, ephemeral(before, 'short')?.state);
    assert.equal(await logs('killed', 'long'), 'long\n');
    assert.equal(await logs('killed', 'short'), 'short\n');
    await board.undesire('killed');
  });

  test('even one that forgot everything repeats none of it', async () => {
    const pod = shellPod('forgot', [{ sh: SLEEP }]);
    const { same } = await run(pod);
    await board.desire('forgot', withDebug(pod, shell('long', `echo long; ${SLEEP}`), shell('short', 'echo short')));
    const before = await board.pod('forgot', (p) => isRunning('long')(p) && hasEnded('short')(p));
    await board.stopAgent('SIGKILL');
    for (const file of globSync(`${board.dataDir}/edgepod.db*`)) rmSync(file, { recursive: true });
    await board.startAgent();
    const now = await board.pod('forgot', (p) => isRunning('long')(p) && hasEnded('short')(p));
    same(now);
    assert.equal(ephemeral(now, 'long')?.containerID, ephemeral(before, 'long')?.containerID);
    assert.equal(await logs('forgot', 'long'), 'long\n');
    assert.equal(await logs('forgot', 'short'), 'short\n');
    await board.undesire('forgot');
  });
});

describe('edgepod debug', () => {
  test('prints what it writes and ends with its code', async () => {
    await run(shellPod('cli', [{ sh: SLEEP }]));
    const { code, stdout, stderr } = await board.edgepod([
      ...['debug', 'cli', '--image', 'debian', '-c', 'dbg', '--target', 'c0', '--env', 'WHAT=a thing'],
      ...['--', 'sh', '-c', 'echo "$WHAT"; exit 5'],
    ]);
    assert.deepEqual([code, stdout], [5, 'a thing\n']);
    assert.match(stderr, /container dbg ended with exit code 5 \(Error\)/);
    const again = await board.edgepod(['debug', 'cli', '--image', 'debian', '-c', 'dbg', '--', 'true']);
    assert.match(again.stderr, /container dbg is in pod cli already/);
    const named = await board.edgepod([
      'debug',
      'cli',
      '-d',
      board.device,
      '--image',
      'debian',
      '--no-attach',
      '--',
      'sleep',
      '1000',
    ]);
    const name = /debugger-\w{5}/.exec(named.stderr)?.[0] ?? '';
    assert.equal(named.stdout, `container ${name} was added to pod/cli\n`);
    const listed = await board.edgepod(['exec', 'cli', '-c', name, '--', 'cat', '/proc/1/cmdline']);
    assert.equal(listed.stdout, 'sleep\x001000\0');
    assert.match((await board.edgepod(['describe', 'pod', 'cli'])).stdout, /Ephemeral Containers:\n {2}dbg:/);
    const manifest = JSON.parse(board.topics.get(board.topic('desired/pods/default/cli'))?.toString() ?? '{}') as Pod;
    assert.equal(manifest.spec.ephemeralContainers?.length, 2);
    assert.ok(state(board.status('cli')!).running);
  });

  test('says what cannot be', async () => {
    const refused = async (...args: string[]) => {
      const { code, stderr } = await board.edgepod(['debug', ...args]);
      assert.equal(code, 1);
      return stderr;
    };
    assert.match(
      await refused('cli', '--image', 'debian', '--target', 'nobody'),
      /targetContainerName: Not found: "nobody"/,
    );
    assert.match(await refused('cli', '--image', 'absent', '-c', 'x'), /container x cannot start: ErrImage/);
    assert.match(await refused('nobody', '--image', 'debian'), /pods "nobody" not found/);
    await board.undesire('cli');
  });
});
