import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type OciSeccomp, resolveSeccomp, type SeccompProfile } from '../../../src/manifest/seccomp.ts';

const DEFAULT: SeccompProfile = JSON.parse(
  readFileSync(new URL('../../../config/seccomp/default.json', import.meta.url), 'utf8'),
);
const ALLOW = 'SCMP_ACT_ALLOW';

/** The unconditional answer to `name`: its action and errno, or the profile's default. */
function answer(seccomp: OciSeccomp, name: string): string {
  const rules = seccomp.syscalls.filter((rule) => rule.names.includes(name) && !rule.args);
  assert.ok(rules.length <= 1, `${name} has ${rules.length} unconditional rules`);
  if (!rules[0]) return `default ${seccomp.defaultErrnoRet}`;
  return rules[0].action === ALLOW ? 'allow' : `errno ${rules[0].errnoRet}`;
}

describe('resolveSeccomp', () => {
  const rule = (names: string[], extra: object = {}) => ({ names, action: ALLOW, ...extra });
  const profile = (...syscalls: SeccompProfile['syscalls'] & object): SeccompProfile => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls,
  });
  const kept = (condition: object, caps: string[], arch: 'amd64' | 'arm64' = 'amd64') =>
    resolveSeccomp(profile(rule(['x'], condition)), { caps, arch }).syscalls.length === 1;

  test('includes.caps needs all of them, with or without CAP_', () => {
    const condition = { includes: { caps: ['CAP_BPF', 'CAP_PERFMON'] } };
    assert.equal(kept(condition, ['CAP_BPF']), false);
    assert.equal(kept(condition, ['BPF', 'CAP_PERFMON']), true);
    assert.equal(kept({ includes: { caps: [] } }, []), true);
  });

  test('excludes.caps needs only one', () => {
    const condition = { excludes: { caps: ['CAP_BPF', 'CAP_PERFMON'] } };
    assert.equal(kept(condition, ['PERFMON']), false);
    assert.equal(kept(condition, ['KILL']), true);
  });

  test('arches covers the 32-bit ones that come with the machine', () => {
    assert.equal(kept({ includes: { arches: ['arm'] } }, [], 'arm64'), true);
    assert.equal(kept({ includes: { arches: ['arm'] } }, [], 'amd64'), false);
    assert.equal(kept({ excludes: { arches: ['x32'] } }, [], 'amd64'), false);
  });

  test('an unknown condition is refused, not ignored', () => {
    assert.throws(() => kept({ includes: { minKernel: '4.8' } }, []), {
      code: 'SECCOMP_PROFILE',
      path: 'syscalls[0].includes.minKernel',
      message: 'syscalls[0].includes.minKernel: unknown condition',
    });
  });

  test('a plain OCI profile comes out unchanged', () => {
    const plain = {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      architectures: ['SCMP_ARCH_AARCH64'],
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [rule(['read'], { args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] })],
    };
    assert.deepEqual(resolveSeccomp(plain, { caps: [], arch: 'arm64' }), plain);
  });

  test('a machine that archMap does not know is an error', () => {
    const incomplete = { ...DEFAULT, archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] };
    assert.throws(() => resolveSeccomp(incomplete, { caps: [], arch: 'arm64' }), {
      message: 'archMap: has no entry for SCMP_ARCH_AARCH64',
    });
  });
});

describe('the default profile', () => {
  const plain = resolveSeccomp(DEFAULT, { caps: ['CHOWN', 'KILL'], arch: 'arm64' });
  const admin = resolveSeccomp(DEFAULT, { caps: ['SYS_ADMIN', 'SYS_CHROOT'], arch: 'amd64' });

  test('architectures', () => {
    assert.deepEqual(plain.architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
    assert.deepEqual(admin.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  });

  for (const [name, withoutCaps, withAdmin] of [
    ['read', 'allow', 'allow'],
    ['execve', 'allow', 'allow'],
    ['landlock_create_ruleset', 'allow', 'allow'],
    ['mount', 'errno 1', 'allow'],
    ['unshare', 'errno 1', 'allow'],
    ['setns', 'errno 1', 'allow'],
    ['bpf', 'errno 1', 'allow'],
    ['syslog', 'errno 1', 'allow'],
    ['clone3', 'errno 38', 'allow'],
    ['chroot', 'errno 1', 'allow'],
    ['init_module', 'errno 1', 'errno 1'],
    ['open_by_handle_at', 'errno 1', 'errno 1'],
    ['keyctl', 'errno 1', 'errno 1'],
    ['userfaultfd', 'errno 1', 'errno 1'],
    ['kexec_load', 'errno 1', 'errno 1'],
    ['io_uring_setup', 'default 38', 'default 38'],
    ['a_call_from_the_future', 'default 38', 'default 38'],
  ] as const) {
    test(`${name}: ${withoutCaps}; with CAP_SYS_ADMIN and CAP_SYS_CHROOT: ${withAdmin}`, () => {
      assert.equal(answer(plain, name), withoutCaps);
      assert.equal(answer(admin, name), withAdmin);
    });
  }

  test('clone is filtered by its flags without CAP_SYS_ADMIN, and not at all with it', () => {
    assert.ok(plain.syscalls.filter((rule) => rule.names.includes('clone')).every((rule) => rule.args));
    assert.equal(answer(admin, 'clone'), 'allow');
  });

  test('every address family from 0 to 63 has one answer: refused for 38 and 40, allowed for the others', () => {
    const rules = plain.syscalls.filter((rule) => rule.names.includes('socket'));
    for (let family = 0; family < 64; family++) {
      const matching = rules.filter(({ args = [] }) => (family & Number(args[0]?.value)) >>> 0 === args[0]?.valueTwo);
      assert.equal(matching.length, 1, `family ${family}`);
      assert.equal(matching[0]?.action === ALLOW, family !== 38 && family !== 40, `family ${family}`);
    }
  });

  test('no rule contradicts another, whatever the capabilities', () => {
    const caps = [...new Set(DEFAULT.syscalls?.flatMap((rule) => rule.includes?.caps ?? []))];
    for (const held of [[], caps, ...caps.map((cap) => [cap])]) {
      const { syscalls } = resolveSeccomp(DEFAULT, { caps: held, arch: 'amd64' });
      const seen = new Map<string, string>();
      for (const { names, action, args } of syscalls) {
        for (const name of args ? [] : names) {
          assert.ok(!seen.has(name), `${name}: ${seen.get(name)} and ${action} with ${held.join()}`);
          seen.set(name, action);
        }
      }
    }
  });
});
