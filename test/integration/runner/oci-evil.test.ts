/** Images and configurations that attack the runner. The numbers are those of the project's list of known escapes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { nativeProgram } from './native-build.ts';
import {
  type Bundle,
  bundle,
  type Config,
  command,
  run,
  runnerPath,
  runScript,
  scratch,
  skip,
  start,
  untilStatus,
  useRunner,
} from './oci-bundle.ts';

/** A directory of the host that nothing may be made in, changed or read from. */
let canary: string;

const canaryIntact = async () => {
  assert.deepEqual(await readdir(canary), ['secret']);
  assert.equal(await readFile(join(canary, 'secret'), 'utf8'), 'secret');
};

/** Kills the container and waits for the runner's end. */
async function ended(child: ChildProcess, { id }: Bundle): Promise<void> {
  const closed = once(child, 'close');
  await command('kill', id, 'KILL');
  await closed;
}

const withMount = (destination: string, source: string) => (config: Config) => {
  config.mounts.push({ destination, type: 'bind', source, options: ['rbind', 'rw'] });
};

describe('an image that attacks', { skip }, () => {
  useRunner();
  before(async () => {
    canary = join(scratch(), 'canary');
    await mkdir(canary);
    await writeFile(join(canary, 'secret'), 'secret');
  });

  test('T-2, T-7: /proc or /sys as a link', async () => {
    for (const name of ['proc', 'sys']) {
      for (const target of ['/tmp', '../../..', canary]) {
        const { code, stdout, stderr } = await runScript('cat /proc/kcore; echo ran', {
          prepare: async (rootfs) => {
            await mkdir(join(rootfs, 'tmp'));
            await symlink(target, join(rootfs, name));
          },
        });
        const reason = 'must be a real directory in the image, not a symbolic link: Too many levels of symbolic links';
        assert.deepEqual([code, stdout, stderr], [1, '', `edgepod-runner: mount: /${name}: ${reason}\n`]);
      }
    }
    await canaryIntact();
  });

  test('T-2, T-13: a volume over /proc or in it', async () => {
    for (const destination of ['/proc', '/proc/self/attr', '/proc/sys/kernel', '/x/../proc/self', '/link/1']) {
      const { code, stderr } = await runScript('echo ran', {
        edit: withMount(destination, canary),
        prepare: (rootfs) => symlink('/proc', join(rootfs, 'link')),
      });
      assert.equal(code, 1, destination);
      assert.match(stderr, /nothing may be mounted over \/proc|No such file|Operation not permitted/, destination);
    }
    await canaryIntact();
  });

  test('T-8: a working directory in a descriptor of the runner', async () => {
    for (let fd = 3; fd < 40; fd++) {
      const { code, stdout } = await runScript('cat ../../../../../etc/shadow', {
        edit: (config) => (config.process.cwd = `/proc/self/fd/${fd}`),
      });
      assert.notEqual(code, 0);
      assert.equal(stdout, '');
    }
    const link = await runScript('true', {
      edit: (config) => (config.process.cwd = '/here'),
      prepare: (rootfs) => symlink('/proc/self/fd/7', join(rootfs, 'here')),
    });
    assert.equal(link.code, 1);
    assert.match(link.stderr, /^edgepod-runner: chdir: /);
  });

  test('T-9: mount targets through links', async () => {
    const cases: [string, string][] = [
      ['/link/made', canary],
      ['/link/made', '../../../../../../../../../../tmp/edgepod-should-not-be'],
      ['/link', '/nowhere/below'],
    ];
    for (const [destination, target] of cases) {
      const { code } = await runScript('echo ran', {
        edit: withMount(destination, canary),
        prepare: (rootfs) => symlink(target, join(rootfs, 'link')),
      });
      assert.equal(code, 1, target);
      assert.ok(!existsSync('/tmp/edgepod-should-not-be') && !existsSync('/nowhere'));
    }
    await canaryIntact();
    // A link that stays inside is followed inside.
    const b = await bundle('cat /real/v/secret', {
      edit: withMount('/link/v', canary),
      prepare: async (rootfs) => {
        await mkdir(join(rootfs, 'real'));
        await symlink('/../../real', join(rootfs, 'link'));
      },
    });
    assert.deepEqual(await run(b), { code: 0, stdout: 'secret', stderr: '' });
  });

  test('T-14: /dev as a link, with and without a tmpfs on it', async () => {
    for (const target of [canary, '../../../../../../tmp', 'elsewhere']) {
      for (const withTmpfs of [true, false]) {
        const { code, stderr } = await runScript('echo ran', {
          edit: (config) => {
            config.mounts = config.mounts.filter(({ destination }) => withTmpfs || !destination.startsWith('/dev'));
          },
          prepare: async (rootfs) => {
            await mkdir(join(rootfs, 'elsewhere'));
            await symlink(target, join(rootfs, 'dev'));
          },
        });
        assert.equal(code, 1, stderr);
        await canaryIntact();
        assert.ok(!existsSync('/tmp/ptmx'));
      }
    }
  });

  test('T-11: /dev/null replaced in the image', async () => {
    const pattern = await readFile('/proc/sys/kernel/core_pattern', 'utf8');
    const { code, stderr } = await runScript('echo ran', {
      edit: (config) => {
        config.mounts = config.mounts.filter(({ destination }) => !destination.startsWith('/dev'));
      },
      prepare: async (rootfs) => {
        await mkdir(join(rootfs, 'dev'));
        await symlink('/proc/sys/kernel/core_pattern', join(rootfs, 'dev/null'));
      },
    });
    assert.deepEqual(
      [code, stderr],
      [1, 'edgepod-runner: make-device: null: exists in the image and is not that device: File exists\n'],
    );
    assert.equal(await readFile('/proc/sys/kernel/core_pattern', 'utf8'), pattern);
  });

  test('T-32: a working directory through a link is made inside', async () => {
    const b = await bundle('readlink /proc/self/cwd', {
      edit: (config) => (config.process.cwd = `/link${join(canary, 'made')}`),
      prepare: (rootfs) => symlink('/', join(rootfs, 'link')),
    });
    assert.deepEqual(await run(b), { code: 0, stdout: `${join(canary, 'made')}\n`, stderr: '' });
    assert.ok(existsSync(join(b.rootfs, canary, 'made')));
    await canaryIntact();
  });

  test('T-1: the runner as entry point gives no way to its file', async () => {
    const digest = async () =>
      createHash('sha256')
        .update(await readFile(runnerPath()))
        .digest('hex');
    const before = await digest();
    // "#!/proc/self/exe" makes the kernel run the runner itself inside the container.
    const { code } = await runScript('', {
      edit: (config) => (config.process.args = ['/entry']),
      prepare: (rootfs) => writeFile(join(rootfs, 'entry'), '#!/proc/self/exe\n', { mode: 0o755 }),
    });
    assert.notEqual(code, 0);
    assert.equal(await digest(), before);
  });

  test('T-1: what a container could get hold of stays read-only when no process runs from it', async () => {
    const b = await bundle('sleep 100');
    const child = start(b);
    await untilStatus(b.id, 'running');
    const handle = await open(`/proc/${child.pid}/exe`, 'r');
    await ended(child, b);
    await assert.rejects(open(`/proc/self/fd/${handle.fd}`, 'r+'), { code: 'EROFS' });
    await handle.close();
  });

  test('T-1: nobody in a container can look into a process that is being put there', async () => {
    const watch = 'while :; do for p in /proc/[0-9]*; do case $p in /proc/1) ;; *) readlink $p/exe;; esac; done; done';
    const b = await bundle(watch);
    const child = start(b);
    let seen = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      seen += chunk;
    });
    await untilStatus(b.id, 'running');
    const outcomes = [];
    for (let i = 0; i < 25; i++) outcomes.push(await command('exec', b.id, 'true'));
    await ended(child, b);
    for (const outcome of outcomes) assert.deepEqual(outcome, { code: 0, stdout: '', stderr: '' });
    assert.ok(!seen.includes('edgepod-runner'), seen);
  });

  test('T-3: a mount target that is exchanged for a link all the time', async () => {
    const volume = join(scratch(), 'shared');
    await mkdir(join(volume, 'a/b'), { recursive: true });
    await symlink(canary, join(volume, 'evil'));
    const racer = spawn(await nativeProgram('tools/exchange'), [join(volume, 'a'), join(volume, 'evil')]);
    for (let i = 0; i < 40; i++) {
      const { code, stdout } = await runScript(
        'cat /v/a/b/secret /v/a/secret 2>/dev/null; grep -c canary /proc/self/mountinfo',
        {
          edit: (config) => {
            withMount('/v', volume)(config);
            config.mounts.push({ destination: '/v/a/b', type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] });
          },
        },
      );
      assert.ok(code !== 0 || stdout === '0\n', stdout);
      assert.ok(!stdout.includes('secret'), stdout);
    }
    assert.equal(racer.exitCode, null);
    racer.kill('SIGKILL');
    await canaryIntact();
    await rm(volume, { recursive: true, force: true });
  });
});
