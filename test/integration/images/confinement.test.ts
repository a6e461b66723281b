/** What the unpacker has given up by the time it reads its first byte: seen from outside, on the running process. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tar } from '../../images/tar-writer.ts';
import { unpackerPath } from './image-board.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'edgepod-confined-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

/** An unpacker that waits for its standard input, with its call filter in place. */
async function waiting(): Promise<ChildProcess> {
  const child = spawn(unpackerPath, ['layer', '--target', dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  while (status(child, 'Seccomp') !== '2') {
    assert.equal(child.exitCode, null, 'the unpacker ended early');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return child;
}

function status(child: ChildProcess, field: string): string | undefined {
  const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1];
}

test('an empty root, few capabilities, no new privileges, a call filter, nothing of ours open', async () => {
  const child = await waiting();
  assert.equal(status(child, 'NoNewPrivs'), '1');
  // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SYS_ADMIN, MKNOD, SETFCAP
  assert.equal(
    BigInt(`0x${status(child, 'CapEff')}`),
    0b11n | (1n << 3n) | (1n << 4n) | (1n << 21n) | (1n << 27n) | (1n << 31n),
  );
  const mounts = readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  assert.deepEqual(mounts.map((fields) => fields[4]).sort(), ['/', '/target']);
  for (const fields of mounts) assert.match(fields[5]!, /nosuid,nodev,noexec/);
  assert.deepEqual(readdirSync(`/proc/${child.pid}/root`), ['target']);
  assert.deepEqual(
    readdirSync(`/proc/${child.pid}/fd`).filter((fd) => Number(fd) > 4),
    [],
  );
  child.stdin!.end(tar([{ name: 'f', data: 'x' }]));
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
  assert.ok(existsSync(join(dir, 'f')));
});

test('it ends with the process that started it', async () => {
  const script = `exec 3<&0; ${unpackerPath} layer --target ${dir} <&3 & echo $!; wait`;
  const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = Number(String((await once(shell.stdout!, 'data'))[0]));
  const alive = () => existsSync(`/proc/${pid}`) && !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  while (alive() && !/^Seccomp:\s*2/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')))
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(alive());
  shell.kill('SIGKILL');
  while (alive()) await new Promise((resolve) => setTimeout(resolve, 5));
});

test('wrong usage is said so', () => {
  for (const [args, reason] of [
    [[], /usage/],
    [['layer'], /--target/],
    [['layer', '--target', dir, '--offset', '1'], /--file/],
    [['layer', '--target', dir, '--max-bytes', '-1'], /number/],
    [['remove', '--dir', dir, '../x'], /entries of the directory/],
    [['frobnicate'], /usage/],
  ] as const)
    assert.throws(
      () => execFileSync(unpackerPath, args, { stdio: 'pipe' }),
      (error: { status: number; stderr: Buffer }) => {
        assert.equal(error.status, 2);
        assert.match(String(error.stderr), reason);
        return true;
      },
    );
});
