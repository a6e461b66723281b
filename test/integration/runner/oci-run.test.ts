/** What a program finds when the runner starts it: status, identity, namespaces, files, limits. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  bundle,
  type Config,
  execute,
  output,
  run,
  runnerPath,
  runScript,
  scratch,
  sh,
  skip,
  useRunner,
} from './oci-bundle.ts';

/** Fields of /proc/1/status as the container sees itself. */
async function statusFields(edit: (config: Config) => void): Promise<Record<string, string>> {
  const text = await output('', {
    edit: (config) => {
      config.process.args = ['cat', '/proc/self/status'];
      edit(config);
    },
  });
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*/, 2) as [string, string]));
}

/** "a:b" -> bit mask as the kernel prints it. */
const mask = (...bits: number[]) =>
  bits
    .reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n)
    .toString(16)
    .padStart(16, '0');

describe('a container that runs', { skip }, () => {
  useRunner();

  test('exit status, signal death, standard streams', async () => {
    assert.equal((await runScript('exit 7')).code, 7);
    assert.equal((await runScript('sh -c "kill -9 \\$\\$"; exit $?')).code, 137);
    const { stdout, stderr } = await runScript('echo out; echo err >&2');
    assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
  });

  test('a command that is not there, or may not be executed', async () => {
    const missing = await runScript('', { edit: (config) => (config.process.args = ['no-such-program']) });
    assert.deepEqual([missing.code, missing.stdout], [127, '']);
    assert.equal(
      missing.stderr,
      'edgepod-runner: exec: no-such-program: not found in PATH: No such file or directory\n',
    );
    const directory = await runScript('', { edit: (config) => (config.process.args = ['/bin']) });
    assert.deepEqual([directory.code, directory.stderr], [126, 'edgepod-runner: exec: /bin: Permission denied\n']);
    const text = await runScript('', {
      edit: (config) => (config.process.args = ['/text']),
      prepare: async (rootfs) => {
        await writeFile(join(rootfs, 'text'), 'hello');
        await chmod(join(rootfs, 'text'), 0o755);
      },
    });
    assert.deepEqual([text.code, text.stderr], [126, 'edgepod-runner: exec: /text: Exec format error\n']);
  });

  test("namespaces are its own where listed, the host's otherwise", async () => {
    const types = { pid: 'pid', network: 'net', ipc: 'ipc', uts: 'uts', mount: 'mnt', cgroup: 'cgroup' };
    const names = Object.values(types);
    const script = `for n in ${names.join(' ')}; do readlink /proc/self/ns/$n; done`;
    const host = await Promise.all(names.map((name) => readlink(`/proc/self/ns/${name}`)));
    const all = (await output(script)).split('\n');
    assert.equal(all.length, names.length);
    for (const [i, link] of all.entries()) assert.notEqual(link, host[i]);
    const edit = (config: Config) => {
      config.linux.namespaces = [{ type: 'mount' }, { type: 'pid' }];
      config.hostname = '';
    };
    const some = (await output(script, { edit })).split('\n');
    assert.deepEqual(
      names.filter((_, i) => some[i] === host[i]),
      ['net', 'ipc', 'uts', 'cgroup'],
    );
  });

  test('joins a namespace by its path', async () => {
    const own = await readlink('/proc/self/ns/ipc');
    const edit = (config: Config) => {
      config.linux.namespaces = config.linux.namespaces.map(({ type }) =>
        type === 'ipc' || type === 'pid' ? { type, path: `/proc/${process.pid}/ns/${type}` } : { type },
      );
    };
    assert.equal(await output('readlink /proc/self/ns/ipc', { edit }), own);
    assert.equal(await output('readlink /proc/self/ns/pid', { edit }), await readlink('/proc/self/ns/pid'));
  });

  test('only descriptors 0, 1 and 2 are open, in process 1 of its own session', async () => {
    assert.equal(await output('ls /proc/1/fd; true'), '0\n1\n2');
    const stat = (await output('cat /proc/1/stat')).split(' ');
    assert.deepEqual(stat.slice(0, 1).concat(stat.slice(4, 6)), ['1', '1', '1']);
  });

  test('capabilities: exactly the given ones, inheritable always empty', async () => {
    const none = await statusFields(() => {});
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.equal(none[set], mask(), set);
    const names = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW'];
    const some = await statusFields((config) => {
      config.process.capabilities = { bounding: names, effective: names, permitted: names, inheritable: names };
    });
    assert.equal(some.CapInh, mask());
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) assert.equal(some[set], mask(0, 5, 13), set);
  });

  test('signals, umask and no_new_privs as a program expects them', async () => {
    const fields = await statusFields((config) => (config.process.noNewPrivileges = true));
    assert.deepEqual(
      [fields.SigBlk, fields.SigIgn, fields.Umask, fields.NoNewPrivs],
      ['0'.repeat(16), '0'.repeat(16), '0022', '1'],
    );
    assert.equal((await statusFields(() => {})).NoNewPrivs, '0');
  });

  test('seccomp filter, with and without no_new_privs', async () => {
    for (const noNewPrivileges of [true, false]) {
      const edit = (config: Config) => {
        config.process.noNewPrivileges = noNewPrivileges;
        config.linux.seccomp = {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }],
        };
      };
      const { stdout, stderr } = await runScript('grep Seccomp: /proc/self/status; mkdir /x', { edit });
      assert.match(stdout, /Seccomp:\s*2/);
      assert.match(stderr, /Function not implemented/);
    }
  });

  test('user and groups by number, and by name from the image', async () => {
    const numeric = (config: Config) => (config.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 6] });
    assert.equal(await output('id -u; id -g; id -G', { edit: numeric }), '1000\n1001\n1001 5 6');
    const prepare = async (rootfs: string) => {
      await mkdir(join(rootfs, 'etc'));
      await writeFile(join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nwww:x:33:34::/var/www:/bin/sh\n');
      await writeFile(join(rootfs, 'etc/group'), 'www:x:34:\nssl:x:110:www\n');
    };
    const named = (config: Config) => (config.annotations['io.edgepod.user'] = 'www');
    assert.equal(await output('id -u; id -G; echo $HOME', { edit: named, prepare }), '33\n34 110\n/var/www');
    const unknown = await runScript('true', {
      edit: (config) => (config.annotations['io.edgepod.user'] = 'nobody'),
      prepare,
    });
    assert.equal(
      unknown.stderr,
      'edgepod-runner: resolve-user: user "nobody" is not in the image: No such file or directory\n',
    );
    assert.equal(await output('echo $HOME', { prepare }), '/root');
  });

  test('a user other than root can open /dev/stdout', async () => {
    const edit = (config: Config) => (config.process.user = { uid: 1000, gid: 1000 });
    // Through a real pipe: Node's are sockets, which cannot be opened by name.
    const { path, id } = await bundle('echo hello > /dev/stdout', { edit });
    assert.equal((await sh(`${runnerPath()} --root ${path}-state run -b ${path} ${id} | cat`)).stdout, 'hello\n');
  });

  test('limits, score, working directory, environment, host name', async () => {
    const edit = (config: Config) => {
      config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 77, hard: 99 }];
      config.process.oomScoreAdj = 500;
      config.process.cwd = '/made/for/it';
      config.process.env.push('GREETING=hello world');
      config.hostname = 'web-1';
    };
    const text = await output(
      'ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj; pwd; echo $GREETING; hostname; echo ${SECRET-none}',
      {
        edit,
      },
    );
    assert.deepEqual(text.split('\n'), ['77', '99', '500', '/made/for/it', 'hello world', 'web-1', 'none']);
  });

  test('sysctls of its own namespaces only', async () => {
    const edit = (config: Config) =>
      (config.linux.sysctl = { 'net.ipv4.ip_unprivileged_port_start': '80', 'kernel.shmmni': '17' });
    assert.equal(
      await output('cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmni', { edit }),
      '80\n17',
    );
    const refused: [string, string, string][] = [
      ['kernel.core_pattern', 'x', 'is not a namespaced sysctl: Operation not permitted'],
      ['net.ipv4.ip_forward', '1\nx', 'malformed name or value: Invalid argument'],
      ['net.../../kernel/core_pattern', 'x', 'malformed name or value: Invalid argument'],
    ];
    for (const [name, value, reason] of refused) {
      const { code, stderr } = await runScript('true', { edit: (config) => (config.linux.sysctl = { [name]: value }) });
      assert.deepEqual([code, stderr], [1, `edgepod-runner: sysctl: ${name}: ${reason}\n`]);
    }
    const host = (config: Config) => {
      config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network');
      config.linux.sysctl = { 'net.ipv4.ip_forward': '1' };
    };
    assert.match((await runScript('true', { edit: host })).stderr, /its namespace is the host's/);
  });

  test('loopback is up in a new network namespace', async () => {
    assert.equal(await output('cat /sys/class/net/lo/flags'), '0x9');
  });
});

describe('the files of a container', { skip }, () => {
  useRunner();

  test('/dev has the standard devices and links and nothing else', async () => {
    const names = 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero';
    assert.equal((await output('ls /dev')).replaceAll('\n', ' '), names);
    assert.equal(await output('stat -c "%t:%T %a" /dev/null /dev/random'), '1:3 666\n1:8 666');
    assert.equal(await output('echo x > /dev/null; cat /dev/null; readlink /dev/ptmx'), 'pts/ptmx');
  });

  test('more devices from the configuration', async () => {
    const edit = (config: Config) => {
      config.linux.devices = [
        { path: '/dev/sub/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 3, gid: 4 },
      ];
    };
    assert.equal(await output('stat -c "%t:%T %a %u %g" /dev/sub/fuse', { edit }), 'a:e5 640 3 4');
  });

  test('masked paths are empty, read-only paths refuse writes, /sys and cgroups are read-only', async () => {
    const files = ['keys', 'timer_list', 'interrupts'].filter((name) => existsSync(`/proc/${name}`));
    for (const name of files) assert.equal(await output(`stat -c %t:%T /proc/${name}; cat /proc/${name}`), '1:3', name);
    assert.equal(await output('ls /sys/firmware'), '');
    const { stdout } = await runScript(
      'for f in /proc/sys/kernel/hostname /sys/x /sys/fs/cgroup/x /sys/firmware/x; do touch $f 2>&1; done',
    );
    assert.equal(stdout.match(/Read-only file system/g)?.length, 4, stdout);
  });

  test('a read-only root, and one that is not', async () => {
    const readOnly = await runScript('touch /x && echo written', { edit: (config) => (config.root.readonly = true) });
    assert.match(readOnly.stderr, /Read-only file system/);
    assert.equal(await output('touch /x && echo written'), 'written');
  });

  test('the procfs of the host cannot be mounted again, nor anything else without capabilities', async () => {
    const { stderr } = await runScript('mkdir /p; mount -t proc proc /p');
    assert.match(stderr, /[Pp]ermission denied|not permitted/);
  });

  test('binds: directory, file, read-only, subpath, missing source', async () => {
    const host = join(scratch(), 'volume');
    await mkdir(join(host, 'sub'), { recursive: true });
    await writeFile(join(host, 'file'), 'from the host');
    const mounts = [
      { destination: '/rw', type: 'bind', source: host, options: ['rbind', 'rw'] },
      { destination: '/ro', type: 'bind', source: host, options: ['rbind', 'ro'] },
      { destination: '/etc/deep/file', type: 'bind', source: join(host, 'file'), options: ['bind', 'ro'] },
      { destination: '/sub', type: 'bind', source: host, options: ['bind', 'x-edgepod.subpath=made/here'] },
    ];
    const edit = (config: Config) => config.mounts.push(...mounts);
    const script = 'cat /etc/deep/file; echo; touch /ro/x 2>&1; touch /etc/deep/file 2>&1; touch /rw/x /sub/y; ls /ro';
    const lines = (await output(script, { edit })).split('\n');
    assert.equal(lines[0], 'from the host');
    assert.equal(lines.filter((line) => line.includes('Read-only file system')).length, 2);
    assert.deepEqual(lines.slice(-4), ['file', 'made', 'sub', 'x']);
    assert.ok(existsSync(join(host, 'made/here/y')));
    const missing = (config: Config) =>
      config.mounts.push({ destination: '/m', type: 'bind', source: '/no/such', options: ['bind'] });
    assert.equal(
      (await runScript('true', { edit: missing })).stderr,
      'edgepod-runner: open-mount-source: /no/such: No such file or directory\n',
    );
  });

  test('propagation: mounts of the container reach the host only where asked for', async () => {
    const volume = join(scratch(), 'propagated');
    await mkdir(join(volume, 'sub'), { recursive: true });
    const caps = ['CAP_SYS_ADMIN'];
    for (const [option, seen] of [
      ['rprivate', 'no'],
      ['rslave', 'no'],
      ['rshared', 'yes'],
    ] as const) {
      const { path, id } = await bundle(`mount -t tmpfs inside /v/sub; grep -c " /v/sub " /proc/self/mountinfo`, {
        edit: (config) => {
          config.mounts.push({ destination: '/v', type: 'bind', source: volume, options: ['rbind', option] });
          config.process.capabilities = { bounding: caps, effective: caps, permitted: caps };
        },
      });
      // In a mount namespace of its own, where the volume is shared as on a host that runs systemd.
      const script = `mount --make-rshared / && mount --bind ${volume} ${volume} && mount --make-shared ${volume} &&
        ${runnerPath()} --root ${path}-state run -b ${path} ${id}; grep -q " ${volume}/sub " /proc/self/mountinfo && echo yes || echo no`;
      const { stdout } = await execute('unshare', ['-m', 'sh', '-c', script]);
      assert.equal(stdout, `1\n${seen}\n`, option);
    }
  });

  test('an AppArmor profile is entered or refused, never left out', async () => {
    const { code, stderr } = await runScript('true', {
      edit: (config) => (config.process.apparmorProfile = 'edgepod-none'),
    });
    assert.equal(code, 1);
    assert.match(stderr, /^edgepod-runner: (apparmor|exec): /);
  });

  test('an overlay root: layers in order, writes in the upper directory, invisible to the host', async () => {
    const layers = join(scratch(), 'layers');
    const many = Array.from({ length: 70 }, (_, i) => join(layers, `a-rather-long-name-for-a-layer-directory-${i}`));
    await Promise.all(
      [...many, join(layers, 'upper'), join(layers, 'work')].map((path) => mkdir(path, { recursive: true })),
    );
    await writeFile(join(many[0] as string, 'which'), 'top');
    await writeFile(join(many[69] as string, 'which'), 'bottom');
    await writeFile(join(many[69] as string, 'only'), 'bottom');
    const b = await bundle('cat /which /only; echo new > /written; grep -c " / / " /proc/self/mountinfo', {
      edit: (config) => {
        const rootfs = join(scratch(), config.linux.cgroupsPath.split('/')[1] as string, 'rootfs');
        config.annotations = {
          'io.edgepod.rootfs.lowerdir': JSON.stringify([...many, rootfs]),
          'io.edgepod.rootfs.upperdir': join(layers, 'upper'),
          'io.edgepod.rootfs.workdir': join(layers, 'work'),
        };
        config.root.path = 'merged';
      },
    });
    assert.deepEqual(await run(b), { code: 0, stdout: 'topbottom1\n', stderr: '' });
    assert.equal(await readFile(join(layers, 'upper/written'), 'utf8'), 'new\n');
    assert.ok(!existsSync(join(b.rootfs, 'written')));
  });
});
