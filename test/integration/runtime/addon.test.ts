/** The addon's parts against real peers: sockets, programs, locks, mounts. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { readFeatures } from '../../../src/runtime/features.ts';
import { loadAddon, loadNative, nativeDir } from '../../../src/runtime/native.ts';
import { readProcesses, StatsReader } from '../../../src/runtime/stats.ts';
import { patience } from '../../patience.ts';
import { nativeProgram } from '../runner/native-build.ts';

const addon = loadAddon();
const base = mkdtempSync('/var/tmp/edgepod-addon-');
const peers: ChildProcess[] = [];
after(() => {
  for (const peer of peers) peer.kill('SIGKILL'); // of tests that failed
  rmSync(base, { recursive: true });
});
let sockets = 0;

interface Connection {
  handle: number;
  peer: ChildProcess;
  lines: AsyncIterator<string>;
  /** Next packet as text, with its descriptors. */
  next(): Promise<{ text: string; fds: number[] }>;
  closed: Promise<string | null>;
}

async function connect(mode: string[], dir = base): Promise<Connection> {
  const path = join(dir, `socket-${sockets++}`);
  // test/native/tools/seqpacket_peer.cc
  const peer = spawn(await nativeProgram('tools/seqpacket_peer'), [path, ...mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  peers.push(peer);
  const lines = createInterface(peer.stdout)[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'listening');
  const packets: { text: string; fds: number[] }[] = [];
  const waiting: (() => void)[] = [];
  const closed = Promise.withResolvers<string | null>();
  const handle = addon.connect(
    path,
    (data, fds) => {
      packets.push({ text: data.toString(), fds });
      waiting.shift()?.();
    },
    closed.resolve,
  );
  const next = async () => {
    if (packets.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return packets.shift() as { text: string; fds: number[] };
  };
  return { handle, peer, lines, next, closed: closed.promise };
}

describe('SEQPACKET client', { timeout: patience(60_000) }, () => {
  test('packets keep their borders, as text and as bytes', async () => {
    const { handle, next, peer } = await connect(['echo']);
    addon.send(handle, 'one');
    addon.send(handle, Buffer.from('two'));
    addon.send(handle, 'x'.repeat(65536));
    assert.equal((await next()).text, 'one');
    assert.equal((await next()).text, 'two');
    assert.equal((await next()).text.length, 65536);
    addon.close(handle);
    addon.close(handle);
    assert.throws(() => addon.send(handle, 'late'), { code: 'ENOTCONN' });
    await once(peer, 'exit');
  });

  test('descriptors both ways; those sent stay ours', async () => {
    const { handle, next } = await connect(['echo']);
    const path = join(base, 'passed');
    writeFileSync(path, 'content');
    const before = readdirSync('/proc/self/fd').length;
    const file = openSync(path, 'r');
    addon.send(handle, 'with files', [file, file]);
    closeSync(file);
    const { text, fds } = await next();
    assert.deepEqual([text, fds.length], ['with files', 2]);
    const buffer = Buffer.alloc(7);
    readSync(fds[0] as number, buffer, 0, 7, 0);
    assert.equal(buffer.toString(), 'content');
    for (const fd of fds) closeSync(fd);
    assert.equal(readdirSync('/proc/self/fd').length, before);
    addon.close(handle);
  });

  test('what the peer does not take yet waits in order; too much is refused', async () => {
    const { handle, peer, lines } = await connect(['late']);
    const pad = 'x'.repeat(1000);
    let sent = 0;
    assert.throws(
      () => {
        for (; sent < 100_000; sent++) addon.send(handle, `${sent} ${pad}`);
      },
      { code: 'ENOBUFS' },
    );
    assert.ok(sent > 1000, `${sent} packets of a kilobyte`);
    peer.stdin?.write('\n');
    for (let number = 0; number < sent; number++) assert.equal((await lines.next()).value, `${number} ${pad}`);
    addon.close(handle);
    await once(peer, 'exit');
  });

  test('everything the peer sent before its end arrives, then the end', async () => {
    const { next, closed } = await connect(['flood', '2000']);
    for (let number = 0; number < 2000; number++) assert.equal((await next()).text, String(number));
    assert.equal(await closed, null);
  });

  test('a packet over 64 KiB ends the connection', async () => {
    const { closed } = await connect(['oversize']);
    assert.equal(await closed, 'EMSGSIZE');
  });

  test('a path longer than a socket address', async () => {
    const deep = join(base, 'd'.repeat(120));
    mkdirSync(deep);
    const { handle, next } = await connect(['echo'], deep);
    addon.send(handle, 'deep');
    assert.equal((await next()).text, 'deep');
    addon.close(handle);
  });

  test('nobody there', () => {
    assert.throws(
      () =>
        addon.connect(
          join(base, 'nowhere'),
          () => {},
          () => {},
        ),
      { code: 'ENOENT', step: 'shim-connect' },
    );
    const message = /path must be a string without NUL/;
    assert.throws(
      () =>
        addon.connect(
          'a\0b',
          () => {},
          () => {},
        ),
      { name: 'TypeError', message },
    );
    assert.throws(() => addon.send(0, 'x'), { code: 'ENOTCONN' });
  });

  test('bad packets are refused', async () => {
    const { handle } = await connect(['echo']);
    assert.throws(() => addon.send(handle, ''), { code: 'EMSGSIZE' });
    assert.throws(() => addon.send(handle, 'x'.repeat(65537)), { code: 'EMSGSIZE' });
    assert.throws(() => addon.send(handle, 'x', [999_999]), { code: 'EBADF' });
    assert.throws(() => addon.send(handle, 'x', Array(9).fill(0)), { code: 'E2BIG' });
    addon.close(handle);
  });

  test('an exception in the callback is an uncaught exception, not lost', async () => {
    const script = `
      const addon = require(${JSON.stringify(join(nativeDir(), 'edgepod.node'))});
      process.on('uncaughtException', (error) => { console.log('caught ' + error.message); process.exit(0); });
      const handle = addon.connect(process.argv[1], () => { throw new Error('boom'); }, () => {});
      addon.send(handle, 'x');`;
    const path = join(base, `socket-${sockets++}`);
    const peer = spawn(await nativeProgram('tools/seqpacket_peer'), [path, 'echo']);
    peers.push(peer);
    await once(peer.stdout, 'data');
    const { stdout } = await addon.run(process.execPath, ['-e', script, path], [], 30_000);
    assert.equal(stdout, 'caught boom\n');
  });
});

describe('environments', { timeout: patience(60_000) }, () => {
  test('a Worker has its own state and may end with open connections and running tasks', async () => {
    const path = join(base, `socket-${sockets++}`);
    const peer = spawn(await nativeProgram('tools/seqpacket_peer'), [path, 'echo']);
    const peerExit = once(peer, 'exit');
    peers.push(peer);
    await once(peer.stdout, 'data');
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      const addon = require(workerData.addon);
      const handle = addon.connect(workerData.path, (data) => {
        parentPort.postMessage(data.toString());
        addon.run('/bin/sleep', ['0.2'], [], 5000);
        setTimeout(() => process.exit(0), 20);
      }, () => {});
      addon.send(handle, 'from the worker');`;
    const workerData = { addon: join(nativeDir(), 'edgepod.node'), path };
    const worker = new Worker(script, { eval: true, workerData });
    const [message] = (await once(worker, 'message')) as [string];
    assert.equal(message, 'from the worker');
    await once(worker, 'exit');
    await peerExit; // the connection was closed with the environment
  });

  test('a process that exits in the middle of everything exits cleanly', async () => {
    const script = `
      const addon = require(${JSON.stringify(join(nativeDir(), 'edgepod.node'))});
      addon.run('/bin/sleep', ['0.2'], [], 5000);
      addon.readProcesses([process.pid], true);
      process.exit(7);`;
    assert.equal((await addon.run(process.execPath, ['-e', script], [], 30_000)).exitCode, 7);
  });
});

describe('programs', { timeout: patience(60_000) }, () => {
  test('output, exit code, signal', async () => {
    assert.deepEqual(await addon.run('/bin/echo', ['a b', 'c'], [], 5000), {
      exitCode: 0,
      signal: 0,
      stdout: 'a b c\n',
    });
    assert.equal((await addon.run('/bin/sh', ['-c', 'exit 3'], [], 5000)).exitCode, 3);
    const killed = await addon.run('/bin/sh', ['-c', 'kill -9 $$'], [], 5000);
    assert.deepEqual([killed.exitCode, killed.signal], [137, 9]);
  });
  test('output is bounded', async () =>
    assert.equal((await addon.run('/bin/sh', ['-c', 'head -c 1000000 /dev/zero'], [], 5000)).stdout.length, 65536));
  test('the environment is what was given', async () =>
    assert.equal((await addon.run('/usr/bin/env', [], ['A=1'], 5000)).stdout, 'A=1\n'));
  test('no descriptors and no ignored signals are inherited', async () => {
    const leak = openSync('/dev/null', 'r');
    const { stdout } = await addon.run('/bin/ls', ['/proc/self/fd'], [], 5000);
    assert.deepEqual(stdout.trim().split('\n'), ['0', '1', '2', '3']); // 3: ls reading the directory
    const status = (await addon.run('/bin/cat', ['/proc/self/status'], [], 5000)).stdout;
    assert.match(status, /SigIgn:\t0000000000000000/);
    assert.match(status, /SigBlk:\t0000000000000000/);
    closeSync(leak);
  });
  test('a child that outlives its output, and one that outlives its time', async () => {
    const { stdout } = await addon.run('/bin/sh', ['-c', 'echo out; exec 1>&-; sleep 0.1'], [], 5000);
    assert.equal(stdout, 'out\n');
    await assert.rejects(addon.run('/bin/sleep', ['60'], [], 50), { code: 'ETIMEDOUT', step: 'spawn' });
  });
  test('a grandchild that keeps the pipe does not keep us', async () => {
    const { stdout } = await addon.run('/bin/sh', ['-c', 'sleep 2 & echo out'], ['PATH=/bin:/usr/bin'], 30_000);
    assert.equal(stdout, 'out\n');
  });
  test('a program that is not there', async () =>
    assert.rejects(addon.run('/no/such', [], [], 5000), { code: 'ENOENT', step: 'spawn', detail: '/no/such' }));
});

describe('system', { timeout: patience(60_000) }, () => {
  test('a lock is held by its descriptor', () => {
    const path = join(base, 'lock');
    const held = addon.lockFile(path);
    assert.ok(held >= 0);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(addon.lockFile(path), -1);
    closeSync(held);
    const again = addon.lockFile(path);
    assert.ok(again >= 0);
    closeSync(again);
    symlinkSync('/etc/passwd', join(base, 'planted'));
    assert.throws(() => addon.lockFile(join(base, 'planted')), { code: 'ELOOP' });
  });

  test('tmpfs with size and mode; unmounting twice is fine', async () => {
    const path = join(base, 'memory');
    mkdirSync(path);
    await addon.mountTmpfs(path, 1 << 20, 0o1777);
    assert.equal(statSync(path).mode & 0o7777, 0o1777);
    const { bsize, blocks } = statfsSync(path);
    assert.equal(bsize * blocks, 1 << 20);
    const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((line) => line.includes(` ${path} `));
    assert.equal(/\bnoswap\b/.test(mounted ?? ''), knowsNoswap(), mounted);
    assert.throws(() => writeFileSync(join(path, 'big'), Buffer.alloc(2 << 20)), { code: 'ENOSPC' });
    await addon.unmount(path, true);
    await addon.unmount(path, true);
    await addon.unmount(join(base, 'nowhere'), true);
    assert.deepEqual(readdirSync(path), []);
  });

  test('tmpfs without a limit, or on a symlink, is refused', async () => {
    const path = join(base, 'memory');
    for (const size of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => addon.mountTmpfs(path, size, 0o700), { code: 'EINVAL', step: 'tmpfs-mount' });
    symlinkSync('/etc', join(base, 'to-etc'));
    await assert.rejects(addon.mountTmpfs(join(base, 'to-etc'), 4096, 0o700), { step: 'tmpfs-mount' });
  });

  test('sd_notify reaches systemd’s socket, and says when there is none', async () => {
    assert.equal(addon.sdNotify('READY=1'), false);
    const path = join(base, 'notify');
    const peer = spawn(await nativeProgram('tools/seqpacket_peer'), [path, 'datagram']);
    peers.push(peer);
    const lines = createInterface(peer.stdout)[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'listening');
    const script = `console.log(require(${JSON.stringify(join(nativeDir(), 'edgepod.node'))}).sdNotify('READY=1'))`;
    const told = await addon.run(process.execPath, ['-e', script], [`NOTIFY_SOCKET=${path}`], 30_000);
    assert.equal(told.stdout, 'true\n');
    assert.equal((await lines.next()).value, 'READY=1');
  });

  test('features of this machine', async () => {
    const features = await readFeatures(addon);
    assert.ok(features.kernel.pageSize >= 4096);
    assert.match(features.cgroup.mode, /^v[12]$/);
    assert.equal(features.psi, existsSync('/proc/pressure/memory'));
    assert.ok(features.capabilities.includes('SYS_ADMIN'), 'tests run as root');
    assert.equal(features.hasSysResource, features.capabilities.includes('SYS_RESOURCE'));
    if (features.cgroup.mode === 'v2') assert.ok(existsSync('/sys/fs/cgroup/cgroup.controllers'));
  });

  test('figures of the node and of processes', async () => {
    const { node, pods } = new StatsReader(addon).read([]);
    const total = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
    assert.equal(node.memory.total, total);
    assert.ok((node.memory.available ?? 0) > 0 && (node.memory.available ?? 0) <= total);
    assert.ok((node.cpu.busySeconds ?? 0) > 0 && (node.cpu.busySeconds ?? 0) <= (node.cpu.totalSeconds ?? 0));
    assert.equal(pods.size, 0);

    const [own, gone] = await readProcesses(addon, [process.pid, 2 ** 22 - 1], { pss: true });
    assert.ok((own?.rss ?? 0) > (own?.anon ?? 0) && (own?.anon ?? 0) > 0 && (own?.pss ?? 0) > 0);
    assert.deepEqual(gone, { pid: 2 ** 22 - 1 });
  });

  test('figures of a pod from a cgroup v2 tree', () => {
    const root = join(base, 'cgroup');
    for (const [group, current] of [
      ['edgepod/podx', 5000],
      ['edgepod/podx/web', 4000],
    ] as const) {
      mkdirSync(join(root, group), { recursive: true });
      writeFileSync(join(root, group, 'memory.current'), `${current}\n`);
      writeFileSync(join(root, group, 'memory.stat'), 'anon 100\ninactive_file 1000\n');
      writeFileSync(join(root, group, 'memory.max'), group.endsWith('web') ? '8000\n' : 'max\n');
      writeFileSync(join(root, group, 'memory.events'), 'oom_kill 2\n');
    }
    writeFileSync(join(root, 'cgroup.controllers'), 'memory\n');
    const stats = new StatsReader(addon, { root });
    const target = { uid: 'x', cgroup: 'edgepod/podx', containers: ['web', 'gone'], link: 'nolink' };
    const pod = stats.read([target]).pods.get('x');
    assert.deepEqual(pod, {
      memory: { current: 5000, workingSet: 4000, anon: 100, oomKills: 2, pressure: {} },
      cpu: {},
      containers: {
        web: {
          memory: { current: 4000, workingSet: 3000, anon: 100, limit: 8000, oomKills: 2, pressure: {} },
          cpu: {},
        },
        gone: { memory: { pressure: {} }, cpu: {} },
      },
    });
  });
});

describe('finding the native part', () => {
  test('an empty directory is an error that says how to build', () =>
    assert.throws(() => loadNative({ EDGEPOD_NATIVE_DIR: base }), {
      code: 'ENATIVE',
      message: /npm run build:native/,
    }));
});

test('memory that is given back: most of what is mapped of Node goes, and Node goes on', async () => {
  const mapped = () => Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  const digest = () =>
    createHash('sha256')
      .update(gzipSync(JSON.stringify(process.versions)))
      .digest('hex');
  const expected = digest();
  const before = mapped();
  await addon.releaseMemory();
  const after = mapped();
  assert.ok(after < 0.7 * before, `${before} KiB before, ${after} KiB after`);
  assert.equal(digest(), expected);
  assert.equal(new Intl.NumberFormat('de').format(1234.5), '1.234,5');
  for (let round = 0; round < 20; round++) await Promise.all([addon.releaseMemory(), addon.treeUsage([base])]);
  assert.equal(digest(), expected);
});

/** Whether this kernel can keep a tmpfs out of its swap. */
function knowsNoswap(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 4);
}
