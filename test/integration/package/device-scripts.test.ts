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
  const entry = (title: string) => `title ${title}\\nlinux /vmlinuz\\ninitrd /initrd.img\\noptions x\\n`;
  /** What the hook left after these calls, each a version: files with the beginning of their content, then the mount's mode. */
  const run = (sizeKiB: number, ...versions: string[]) => {
    const { status, stdout, stderr } = inside(
      `mkdir $1/boot && mount -t tmpfs -o size=${sizeKiB}k tmpfs $1/boot && mkdir -p $1/boot/loader/entries
       printf '${entry('edgepod')}' > $1/boot/loader/entries/edgepod.conf
       printf '${entry('edgepod, read-only root')}' > $1/boot/loader/entries/edgepod-read-only.conf
       echo old > $1/boot/vmlinuz; echo old > $1/boot/initrd.img; mount -o remount,ro $1/boot
       code=0
       for version in ${versions.join(' ')}; do
         EDGEPOD_BOOT=$1/boot EDGEPOD_KERNELS=$1/kernels ${hook} $version || code=$?
       done
       cd $1/boot
       for file in $(find . -type f -not -path './loader/*' | sort); do echo "$file $(head -c 3 $file)"; done
       for file in loader/entries/*; do echo "$(basename $file): $(grep -v options $file | tr '\\n' ' ')"; done
       grep " $1/boot " /proc/mounts | grep -o ' r[ow],'
       exit $code`,
    );
    return { status, lines: stdout.trimEnd().split('\n'), stderr };
  };
  const kernel = (name: string, content: string, bytes: number) => {
    mkdirSync(join(dir, 'kernels'), { recursive: true });
    writeFileSync(join(dir, 'kernels', name), `${content}${'.'.repeat(bytes)}`);
  };
  const pair = (version: string, bytes = 100_000) => {
    kernel(`vmlinuz-${version}`, version, bytes);
    kernel(`initrd.img-${version}`, version, bytes);
  };
  const booted = (pairDir: string) => [
    `edgepod-read-only.conf: title edgepod, read-only root linux ${pairDir}/vmlinuz initrd ${pairDir}/initrd.img `,
    `edgepod.conf: title edgepod linux ${pairDir}/vmlinuz initrd ${pairDir}/initrd.img `,
  ];
  const previous = (pairDir: string) =>
    `edgepod-previous.conf: title edgepod, the kernel before linux ${pairDir}/vmlinuz initrd ${pairDir}/initrd.img `;
  const OLD = ['./initrd.img old', './vmlinuz old'];

  test('both entries boot the new pair, one the pair before, and it is read-only again', () => {
    pair('6.2');
    const { status, lines, stderr } = run(1024, '6.2');
    const files = ['./a/initrd.img 6.2', './a/vmlinuz 6.2', ...OLD];
    assert.deepEqual([status, lines], [0, [...files, previous(''), ...booted('/a'), ' ro,']], stderr);
  });

  test('of several, the last two stay', () => {
    for (const version of ['6.2', '6.3', '6.4']) pair(version);
    const { status, lines, stderr } = run(1024, '6.2', '6.3', '6.4');
    const files = ['./a/initrd.img 6.4', './a/vmlinuz 6.4', './b/initrd.img 6.3', './b/vmlinuz 6.3'];
    assert.deepEqual([status, lines], [0, [...files, previous('/b'), ...booted('/a'), ' ro,']], stderr);
  });

  test('what is there already is not copied again', () => {
    pair('6.2');
    const { lines } = run(1024, '6.2', '6.2');
    assert.deepEqual(lines.slice(-4), [previous(''), ...booted('/a'), ' ro,']);
  });

  test('without room for both the old pair stays, and dpkg is told', () => {
    kernel('vmlinuz-6.2', '6.2', 100_000);
    kernel('initrd.img-6.2', '6.2', 2_000_000);
    const { status, lines, stderr } = run(1024, '6.2');
    assert.notEqual(status, 0);
    assert.deepEqual(lines, [...OLD, ...booted(''), ' ro,']);
    assert.match(stderr, /No space left/);
  });

  test('without an initrd the old pair stays', () => {
    kernel('vmlinuz-6.2', '6.2', 10);
    const { status, lines } = run(1024, '6.2');
    assert.notEqual(status, 0);
    assert.deepEqual(lines, [...OLD, ...booted(''), ' ro,']);
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
