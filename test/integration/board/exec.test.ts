/** Commands in containers and restarts, from the command line through the broker. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { EDGEPOD } from '../../edgepod.ts';
import { demoImage } from '../../images/demo-images.ts';
import { Board } from './board.ts';
import { running, SLEEP, shellPod } from './pods.ts';

let board: Board;
before(async () => {
  board = await Board.open({ settings: ['--remote-exec', 'true'] });
  await board.load(await demoImage('debian'));
  const containers = [
    { sh: SLEEP, env: [{ name: 'COLOUR', value: 'blue' }] },
    { sh: SLEEP, name: 'side', securityContext: { runAsUser: 1234 } },
  ];
  await board.desire('web', shellPod('web', containers as never));
  await board.pod('web', running);
});
after(async () => assert.deepEqual(await board.close(), []));

const exec = (args: string[], input?: string) => board.edgepod(['exec', 'web', ...args], input);

/** Whether a process of exactly these arguments exists on the machine. */
function exists(...words: string[]): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${words.join('\0')}\0`;
    } catch {
      return false; // it ended meanwhile
    }
  });
}

describe('edgepod exec', () => {
  test('both streams, the exit code, the container’s own environment and user', async () => {
    const first = await exec(['--', 'sh', '-c', 'echo out $COLOUR; echo err >&2; exit 7']);
    assert.equal(first.stdout, 'out blue\n');
    assert.equal(first.stderr, 'Defaulted container "c0" out of: c0, side\nerr\ncommand terminated with exit code 7\n');
    assert.equal(first.code, 7);
    const other = await exec(['-c', 'side', '-d', board.device, '--', 'id', '-u']);
    assert.deepEqual([other.code, other.stdout, other.stderr], [0, '1234\n', '']);
    assert.equal((await exec(['-c', 'c0', '--', 'sh', '-c', 'kill -KILL $$'])).code, 137);
  });

  test('output of any size and any bytes arrives whole and in order', async () => {
    const script =
      'i=0; while [ $i -lt 20000 ]; do echo "line $i with some more text"; i=$((i+1)); done; printf "\\377"';
    const { code, stdout } = await exec(['-c', 'c0', '--', 'sh', '-c', script]);
    assert.equal(code, 0);
    const lines = stdout.split('\n');
    assert.equal(lines.length, 20_001);
    assert.equal(lines[19_999], 'line 19999 with some more text');
  });

  test('-i passes standard input; without it there is none', async () => {
    const script = 'read word; echo "got $word"; cat | wc -c';
    const { stdout, code } = await exec(['-c', 'c0', '-i', '--', 'sh', '-c', script], `hello\n${'x'.repeat(30_000)}`);
    assert.deepEqual([code, stdout], [0, 'got hello\n30000\n']);
    assert.equal((await exec(['-c', 'c0', '--', 'cat'], 'ignored')).stdout, '');
    const large = await exec(['-c', 'c0', '-i', '--', 'cat'], 'x'.repeat(50_000));
    assert.deepEqual([large.code, large.stdout], [1, '']);
    assert.match(large.stderr, /larger than 40 KiB/);
  });

  test('what cannot be is said: terminals, programs, pods, containers, endless output, time', async () => {
    const refused = async (args: string[]) => {
      const { code, stderr } = await board.edgepod(['exec', ...args]);
      assert.equal(code, 1);
      return stderr;
    };
    assert.match(await refused(['web', '-i', '-t', '--', 'sh']), /no terminals over MQTT/);
    assert.match(
      await refused(['web', '-c', 'c0', '--', 'nope']),
      /"nope" cannot be run in default\/web\/c0: no such program/,
    );
    assert.match(await refused(['nobody', '--', 'true']), /pods "nobody" not found/);
    assert.match(
      await refused(['web', '-c', 'none', '--', 'true']),
      /container none is not in pod web: it has c0, side/,
    );
    assert.match(
      await refused(['web', '-c', 'c0', '--timeout', '1s', '--', 'sleep', '1000']),
      /"sleep" was killed after 1 s/,
    );
    assert.match(await refused(['web', '-c', 'c0', '--', 'yes']), /at most 16 MiB; it was killed/);
    assert.match(await refused(['web', '-d', 'nowhere', '--', 'true']), /not found on nowhere/);
    await board.until('the killed commands to be gone', () => !exists('yes'));
  });

  test('an interrupted caller, and an agent that is killed, end the command', async () => {
    const args = ['exec', 'web', '-c', 'c0', '--broker', board.mosquitto.url, '--', 'sleep'];
    const begin = async (word: string) => {
      const child = spawn(EDGEPOD, [...args, word], { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      await board.until(`sleep ${word} to run`, () => exists('sleep', word));
      return { child, ended };
    };
    const first = await begin('54321');
    first.child.kill('SIGINT');
    assert.equal(await first.ended, 1);
    await board.until('the first command to be gone', () => !exists('sleep', '54321'));
    const second = await begin('65432');
    await board.stopAgent('SIGKILL');
    assert.equal(await second.ended, 1);
    await board.until('the second command to be gone', () => !exists('sleep', '65432'));
    await board.startAgent();
    assert.ok(running(board.status('web')!));
  });
});

test('edgepod restart pod: the same pod anew, from what is desired', async () => {
  const before = board.status('web')?.metadata.uid;
  const { code, stdout, stderr } = await board.edgepod(['restart', 'pod', 'web', '--wait', '--timeout', '60s']);
  assert.deepEqual([code, stdout, stderr], [0, 'pod/web restarted\npod/web is running\n', '']);
  assert.notEqual(board.status('web')?.metadata.uid, before);
  assert.match((await board.edgepod(['restart', 'pod', 'nobody'])).stderr, /pods "nobody" not found/);
});

test('without remoteExec no command runs', async () => {
  await board.stopAgent();
  await board.startAgent('--remote-exec', 'false');
  const { code, stdout, stderr } = await exec(['-c', 'c0', '--', 'echo', 'ran']);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /remoteExec is false in its agent\.yaml/);
});

test('a device that is away is said to be, at once', async () => {
  await board.stopAgent();
  const { code, stderr } = await exec(['-c', 'c0', '--', 'true']);
  assert.equal(code, 1);
  assert.match(stderr, /board-\S+ is away/);
});
