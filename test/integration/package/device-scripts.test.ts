/** The device image's own scripts with what goes wrong on boards. Root's mounts are real, in a mount namespace of their own. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';

const overlay = join(import.meta.dirname, '../../../image/overlay');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'edgepod-device-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs shell commands where mounts are seen by nobody else; `$1` is the test's directory. */
function inside(commands: string, env: NodeJS.ProcessEnv = {}) {
  return spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-uc', commands, 'sh', dir], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', ...env },
  });
}

suite('a new kernel on the boot partition', () => {
  const hook = join(overlay, 'etc/kernel/postinst.d/zz-edgepod-boot');
  /** What the hook left, as `name=content` lines, then the mount's mode; its exit code is ours. */
  const run = (sizeKiB: number) =>
    inside(
      `mkdir $1/boot && mount -t tmpfs -o size=${sizeKiB}k,ro tmpfs $1/boot && mount -o remount,rw $1/boot
       mkdir $1/boot/loader && echo old > $1/boot/vmlinuz && echo old > $1/boot/initrd.img && mount -o remount,ro $1/boot
       EDGEPOD_BOOT=$1/boot EDGEPOD_KERNELS=$1/kernels ${hook} 6.2; code=$?
       for file in $1/boot/*; do [ -d $file ] || echo "$(basename $file) $(head -c 3 $file)"; done
       grep " $1/boot " /proc/mounts | grep -o ' r[ow],'
       exit $code`,
    );
  const kernel = (name: string, bytes: number) => {
    mkdirSync(join(dir, 'kernels'), { recursive: true });
    writeFileSync(join(dir, 'kernels', name), `new${'.'.repeat(bytes)}`);
  };

  test('both files are replaced, and it is read-only again', () => {
    kernel('vmlinuz-6.2', 100_000);
    kernel('initrd.img-6.2', 100_000);
    const { status, stdout, stderr } = run(1024);
    assert.deepEqual([status, stdout], [0, 'initrd.img new\nvmlinuz new\n ro,\n'], stderr);
  });

  test('without room for both the old pair stays, and dpkg is told', () => {
    kernel('vmlinuz-6.2', 100_000);
    kernel('initrd.img-6.2', 2_000_000);
    const { status, stdout, stderr } = run(1024);
    assert.notEqual(status, 0);
    assert.equal(stdout, 'initrd.img old\nvmlinuz old\n ro,\n');
    assert.match(stderr, /No space left/);
  });

  test('without an initrd the old pair stays', () => {
    kernel('vmlinuz-6.2', 10);
    const { status, stdout } = run(1024);
    assert.notEqual(status, 0);
    assert.equal(stdout, 'initrd.img old\nvmlinuz old\n ro,\n');
  });
});

suite('the data partition', () => {
  const script = join(overlay, 'usr/lib/edgepod-board/data-partition');
  const IN_MEMORY = 'tmpfs';
  const disk = () => join(dir, 'disk');

  /** Programs that stand before the real ones; systemd-repart always, since it would look at this machine's own disk. */
  function programs(bodies: Record<string, string>): string {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    for (const [name, body] of Object.entries({ udevadm: 'exit 0', 'systemd-repart': 'exit 0', ...bodies })) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  }

  /** @returns the type of file system that is there afterwards, what is in it, and the note for the agent */
  function run(path: string) {
    const { status, stdout, stderr } = inside(
      `${script} $1/disk $1/target $1/notes; code=$?
       PATH=/usr/sbin:/usr/bin:/sbin:/bin
       findmnt -no FSTYPE $1/target; ls $1/target; umount $1/target; exit $code`,
      { PATH: path },
    );
    const [type, ...names] = stdout.trim().split('\n');
    const noted = existsSync(join(dir, 'notes/data-problem'));
    const [reason = '', remedy = ''] = noted
      ? readFileSync(join(dir, 'notes/data-problem'), 'utf8').trimEnd().split('\n')
      : [];
    return { status, type, names, reason, remedy, stderr };
  }

  function formatted(): void {
    mkdirSync(join(dir, 'content'));
    writeFileSync(join(dir, 'content/kept'), 'x');
    // Big enough for a second superblock.
    execFileSync('mkfs.ext4', ['-q', '-b', '1024', '-d', join(dir, 'content'), disk(), '32M']);
  }
  const overwrite = (bytes: number, from = 0) =>
    execFileSync(
      'dd',
      ['if=/dev/urandom', `of=${disk()}`, 'conv=notrunc', 'bs=1024', `seek=${from}`, `count=${bytes / 1024}`],
      {
        stdio: 'ignore',
      },
    );
  const digest = () => createHash('sha256').update(readFileSync(disk())).digest('hex');
  const usual = (bodies: Record<string, string> = {}) => `${programs(bodies)}:${process.env.PATH}:/usr/sbin:/sbin`;

  test('one that is in order is mounted, and only root looks into it', () => {
    formatted();
    const { status, type, names, reason } = run(usual());
    assert.deepEqual([status, type, names.includes('kept'), reason], [0, 'ext4', true, '']);
    assert.equal(statSync(join(dir, 'target')).mode & 0o777, 0o700);
  });

  test('one without its first superblock is repaired, and what was in it is there', () => {
    formatted();
    overwrite(4096);
    const { status, type, names, reason } = run(usual());
    assert.deepEqual([status, type, names.includes('kept'), reason], [0, 'ext4', true, '']);
  });

  test('one beyond repair is left as it is', () => {
    execFileSync('truncate', ['-s', '8M', disk()]);
    overwrite(8 << 20);
    const before = digest();
    const { status, type, reason, remedy, stderr } = run(usual());
    assert.deepEqual([status, type, digest()], [0, IN_MEMORY, before]);
    assert.match(reason, /^its file system cannot be repaired: /);
    assert.match(remedy, /mkfs\.ext4 -F .*disk && reboot/);
    assert.match(stderr, /edgepod: data partition: its file system cannot be repaired/);
  });

  test('none, and no room to make one', () => {
    const { status, type, reason } = run(usual({ 'systemd-repart': 'echo "no space left for it" >&2; exit 1' }));
    assert.deepEqual([status, type], [0, IN_MEMORY]);
    assert.match(reason, /^there is none, and it could not be made: no space left for it$/);
  });

  test('one that does not mount', () => {
    formatted();
    const mount = 'case "$*" in *ext4*) echo "mount: bad card" >&2; exit 32 ;; esac; exec /bin/mount "$@"';
    const { status, type, reason } = run(usual({ mount }));
    assert.deepEqual([status, type], [0, IN_MEMORY]);
    assert.match(reason, /^it cannot be mounted: mount: bad card$/);
  });

  test('none of the tools is there', () => {
    formatted();
    const before = digest();
    const bin = join(dir, 'few');
    mkdirSync(bin);
    for (const name of ['mkdir', 'chmod', 'tail', 'mount', 'sh', 'unshare'])
      symlinkSync(join('/usr/bin', name), join(bin, name));
    const { status, type, reason } = run(bin);
    assert.deepEqual([status, type, digest()], [0, IN_MEMORY, before]);
    assert.match(reason, /e2fsck: not found/);
  });

  test('no memory for one either: the note says so, and the boot goes on', () => {
    const { status, reason } = run(usual({ mount: 'exit 1' }));
    assert.equal(status, 0);
    assert.match(reason, /^there is none/);
    assert.deepEqual(readdirSync(join(dir, 'target')), []);
  });
});
