/** The shipped seccomp profile, resolved and compiled as for a container, against the running kernel. */
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
