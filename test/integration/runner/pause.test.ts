/** The infra process: size, signals, reaping as PID 1 of a namespace. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { nativeProgram } from './native-build.ts';

const run = promisify(execFile);
let pause: string;
const children: ChildProcess[] = [];

async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const found = await probe();
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error(`never: ${what}`);
}

async function status(pid: number, field: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}

/** Until it has taken its signals in hand (an unblocked SIGTERM before that would end it by default). */
async function ready(pid: number): Promise<number> {
  return until('pause blocks signals', async () => (BigInt(`0x${await status(pid, 'SigBlk')}`) > 0n ? pid : undefined));
}

async function started(...options: [object?]): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(pause, { stdio: 'ignore', ...options[0] });
  children.push(child);
  await once(child, 'spawn');
  return { child, pid: await ready(child.pid as number) };
}

// Nothing stays behind when an assertion fails half-way; --kill-child takes the namespace along.
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('pause', () => {
  before(async () => {
    pause = await nativeProgram('pause');
  });

  test('at most 10 KB on disk and 16 KiB in memory', async () => {
    const { size } = await stat(pause);
    assert.ok(size <= 10_000, `${size} bytes`);
    const { child, pid } = await started();
    const resident = Number.parseInt(await status(pid, 'VmRSS'), 10);
    child.kill('SIGTERM');
    await once(child, 'exit');
    // With 16 or 64 KiB pages a page of code and one of stack are the least there can be.
    const page = Number((await run('getconf', ['PAGESIZE'])).stdout) / 1024;
    assert.ok(resident <= Math.max(16, 3 * page), `${resident} KiB resident`);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`exits 0 on ${signal}, and on nothing before`, async () => {
      const { child, pid } = await started();
      for (const ignored of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGQUIT', 'SIGCHLD'] as const) {
        process.kill(pid, ignored);
      }
      await sleep(50);
      assert.equal(child.exitCode, null);
      assert.equal(child.signalCode, null);
      process.kill(pid, signal);
      const [code, by] = await once(child, 'exit');
      assert.deepEqual([code, by], [0, null]);
    });
  }

  test('its /proc entries belong to root, whoever it runs as', {
    skip: process.getuid?.() !== 0 && 'needs root',
  }, async () => {
    // Not dumpable: a container sharing the PID namespace must not reach /proc/1/root.
    const { child, pid } = await started({ uid: 65534, gid: 65534 });
    const owner = await until('not dumpable', async () => ((await stat(`/proc/${pid}/fd`)).uid === 0 ? 0 : undefined));
    child.kill('SIGTERM');
    await once(child, 'exit');
    assert.equal(owner, 0);
  });
});

describe('pause as PID 1 of a namespace', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  before(async () => {
    pause = await nativeProgram('pause');
  });

  async function namespaced(): Promise<{ child: ChildProcess; pid: number }> {
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', pause], { stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    const own = child.pid as number;
    const pid = await until('pause runs', async () => {
      const first = Number.parseInt(await readFile(`/proc/${own}/task/${own}/children`, 'utf8'), 10);
      return first && (await status(first, 'Name')) === 'pause' ? first : undefined;
    });
    return { child, pid: await ready(pid) };
  }

  test('reaps what was double-forked, a storm of it too, and exits 0 on SIGTERM', async () => {
    const { child, pid } = await namespaced();
    assert.match(await status(pid, 'NSpid'), /\s1$/);
    // Their output goes nowhere: an orphan that held the pipe would keep nsenter's caller waiting.
    const orphans =
      'exec >/dev/null 2>&1; i=0; while [ $i -lt 300 ]; do (sleep 0.05 & ) ; i=$((i+1)); done; (sleep 600 & )';
    await run('nsenter', ['--target', `${pid}`, '--pid', 'sh', '-c', orphans]);
    const left = await until('only the sleeper is left', async () => {
      const alive = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
      return alive.length === 1 ? alive : undefined;
    });
    assert.match(await status(Number(left[0]), 'State'), /^S/);
    assert.equal(child.exitCode, null);

    process.kill(pid, 'SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    // The namespace ended with it.
    await until('the sleeper is gone', () =>
      stat(`/proc/${left[0]}`).then(
        () => undefined,
        () => true,
      ),
    );
  });
});
