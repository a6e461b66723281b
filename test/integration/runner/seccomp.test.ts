/** The shipped seccomp profile, resolved and compiled as for a container, against the running kernel; for ARM, interpreted. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { resolveSeccomp, type SeccompProfile } from '../../../src/manifest/seccomp.ts';
import { nativeProgram } from './native-build.ts';

const { EPERM, ENOSYS, EAFNOSUPPORT, EINVAL } = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97, EINVAL: 22 };
const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';

let directory: string;
let program: string;
let profile: SeccompProfile;

/** What the kernel answers to each call of the probe, errno by name, with the profile loaded for `caps`. */
async function answers(caps: string[]): Promise<Record<string, number>> {
  const file = join(directory, 'profile.json');
  await writeFile(file, JSON.stringify(resolveSeccomp(profile, { caps, arch })));
  const { stdout } = await promisify(execFile)(program, ['probe', file]);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('='))
      .map(([name, errno]) => [name, Number(errno)]),
  );
}

describe('RuntimeDefault on this kernel', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'edgepod-seccomp-'));
    program = await nativeProgram('test_seccomp', { sanitized: true });
    const file = new URL('../../../config/seccomp/default.json', import.meta.url);
    profile = JSON.parse(await readFile(file, 'utf8'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('an ordinary container', async () => {
    const { instructions, ...errno } = await answers(['CHOWN', 'SETUID', 'SYS_CHROOT']);
    assert.ok(Number(instructions) > 100 && Number(instructions) < 4096, `${instructions} instructions`);
    const expected = {
      'socket-inet': 0,
      'socket-unix': 0,
      'socket-netlink': 0,
      'socket-alg': EPERM,
      'socket-vsock': EPERM,
      'socket-alg-high-bits': EPERM,
      'socket-inet-high-bits': 0,
      fork: 0,
      'clone-newuser': EPERM,
      'clone-newns': EPERM,
      'clone-newnet-newpid': EPERM,
      clone3: ENOSYS,
      unshare: EPERM,
      mount: EPERM,
      bpf: EPERM,
      keyctl: EPERM,
      io_uring_setup: ENOSYS,
      'personality-query': 0,
      'personality-no-randomize': ENOSYS,
      getpid: 0,
      'new-call': ENOSYS,
    };
    for (const [name, wanted] of Object.entries(expected)) assert.equal(errno[name], wanted, name);
    // Not refused by the filter; whether the kernel has the family is another matter.
    for (const name of ['socket-nfc', 'socket-xdp']) assert.ok([0, EAFNOSUPPORT].includes(errno[name] ?? -1), name);
    assert.notEqual(errno.ptrace, EPERM);
    assert.notEqual(errno.chroot, EPERM);
  });

  test('with CAP_SYS_ADMIN: namespaces and mounts reach the kernel, AF_ALG and keyrings still do not', async () => {
    const errno = await answers(['SYS_ADMIN']);
    for (const name of ['clone-newuser', 'clone-newns', 'unshare']) assert.equal(errno[name], 0, name);
    assert.equal(errno.clone3, EINVAL);
    assert.notEqual(errno.mount, EPERM);
    assert.equal(errno.bpf, EINVAL);
    assert.equal(errno.chroot, EPERM);
    assert.equal(errno['socket-alg'], EPERM);
    assert.equal(errno.keyctl, EPERM);
  });
});

/** Calls of today's programs for 32-bit ARM that a 64-bit kernel has under other names or not at all. */
const ARM32 =
  'open mmap2 _llseek fstat64 stat64 fcntl64 getuid32 setgroups32 ugetrlimit vfork sigreturn send recv poll _newselect \
futex_time64 clock_gettime64 clock_nanosleep_time64 recvmmsg_time64 semtimedop_time64 utimensat_time64 statfs64 \
arm_fadvise64_64 arm_sync_file_range cacheflush set_tls breakpoint'.split(' ');

describe('RuntimeDefault of an arm64 board', () => {
  let answers: Record<'arm64' | 'arm', Map<string, string>>;

  before(async () => {
    const work = await mkdtemp(join(tmpdir(), 'edgepod-seccomp-'));
    try {
      const machine = await nativeProgram('test_seccomp_arm', { sanitized: true });
      const shipped = await readFile(new URL('../../../config/seccomp/default.json', import.meta.url), 'utf8');
      const file = join(work, 'profile.json');
      const caps = ['CHOWN', 'SETUID', 'KILL'];
      await writeFile(file, JSON.stringify(resolveSeccomp(JSON.parse(shipped), { caps, arch: 'arm64' })));
      const all = async (name: string) => {
        const { stdout } = await promisify(execFile)(machine, ['answers', file, name]);
        return new Map(
          stdout
            .trim()
            .split('\n')
            .map((line) => line.split('=') as [string, string]),
        );
      };
      answers = { arm64: await all('arm64'), arm: await all('arm') };
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });

  test('its 32-bit programs may call what their C library calls', () => {
    for (const name of ARM32) assert.equal(answers.arm.get(name), 'allow', name);
  });

  test('what both have is answered alike: 32-bit programs are no way around the filter', () => {
    const shared = [...answers.arm64].filter(([name]) => answers.arm.has(name));
    assert.ok(shared.length > 250, `${shared.length} calls in common`);
    for (const [name, answer] of shared) assert.equal(answers.arm.get(name), answer, name);
  });

  test('what only 32-bit programs could call is refused where its 64-bit kind is', () => {
    for (const name of ['mount', 'umount2', 'bpf', 'clock_settime64', 'uselib', 'sysfs'])
      assert.equal(answers.arm.get(name), `${EPERM}`, name);
    for (const arch of ['arm', 'arm64'] as const) {
      assert.equal(answers[arch].get('clone3'), `${ENOSYS}`);
      assert.equal(answers[arch].get('no_such_call'), `${ENOSYS}`);
    }
  });
});
