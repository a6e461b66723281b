/** create, start, state, exec, kill, delete; bundles other runtimes have written; what the command line refuses. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Bundle,
  bundle,
  type Config,
  command,
  execute,
  runnerPath,
  runScript,
  sh,
  skip,
  start,
  state,
  untilStatus,
  useRunner,
} from './oci-bundle.ts';

const succeeds = async (...args: string[]) => {
  const { code, stderr, stdout } = await command(...args);
  assert.deepEqual([code, stderr], [0, ''], args.join(' '));
  return stdout;
};

/** `create` with output to a file: the container outlives the command, so pipes would stay open. */
const create = async ({ path, id }: Bundle, log = join(path, 'log')) => {
  await sh(
    `exec ${runnerPath()} --root ${join(path, '../state')} create -b ${path} --pid-file ${path}/pid ${id} >${log} 2>&1 </dev/null`,
  );
};

describe('life of an OCI container', { skip }, () => {
  useRunner();

  test('created, running, stopped, deleted', async () => {
    const b = await bundle('echo started; exec sleep 100');
    await create(b);
    const created = (await state(b.id))!;
    assert.deepEqual(
      [created.id, created.status, created.bundle, created.ociVersion],
      [b.id, 'created', b.path, '1.2.0'],
    );
    assert.equal(await readFile(join(b.path, 'pid'), 'utf8'), String(created.pid));
    assert.equal(await readFile(join(b.path, 'log'), 'utf8'), '');
    await succeeds('start', b.id);
    await untilStatus(b.id, 'running');
    await sleep(50);
    assert.equal(await readFile(join(b.path, 'log'), 'utf8'), 'started\n');
    assert.match((await command('start', b.id)).stderr, /is running, not created/);
    assert.match((await command('delete', b.id)).stderr, /is running: kill it first, or use --force/);
    await succeeds('kill', b.id, 'KILL');
    await untilStatus(b.id, 'stopped');
    assert.equal((await state(b.id))!.pid, 0);
    assert.match((await command('kill', b.id)).stderr, /is not running/);
    await succeeds('delete', b.id);
    assert.match((await command('state', b.id)).stderr, /does not exist/);
    assert.ok(
      !existsSync(`/proc/${created.pid}`) || (await readFile(`/proc/${created.pid}/stat`, 'utf8')).includes(') Z'),
    );
  });

  test('deleted before it was started, and by force while it runs', async () => {
    const never = await bundle('echo ran');
    await create(never);
    await succeeds('delete', never.id);
    assert.equal(await readFile(join(never.path, 'log'), 'utf8'), '');
    const running = await bundle('sleep 100 & sleep 100');
    await create(running);
    await succeeds('start', running.id);
    await succeeds('delete', '--force', running.id);
    await succeeds('delete', '--force', running.id);
  });

  test('create fails where run fails, and leaves nothing', async () => {
    const b = await bundle('', { edit: (config) => (config.process.args = ['nothing']) });
    await assert.rejects(create(b), { code: 127 });
    assert.match(await readFile(join(b.path, 'log'), 'utf8'), /exec: nothing: not found/);
    assert.match((await command('state', b.id)).stderr, /does not exist/);
  });

  test("an id is used once; state is the owner's only", async () => {
    const b = await bundle('sleep 100');
    await create(b);
    assert.match((await command('run', '-b', b.path, b.id)).stderr, /exists already/);
    for (const path of ['../state', `../state/${b.id}`])
      assert.equal((await stat(join(b.path, path))).mode & 0o777, 0o700);
    await succeeds('delete', b.id);
  });

  test('run passes signals on and ends with the program', async () => {
    const b = await bundle('trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.05; done');
    const child = start(b);
    let seen = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      seen += chunk;
      if (chunk.includes('ready')) child.kill('SIGTERM');
    });
    assert.equal(await new Promise((resolve) => child.on('close', resolve)), 3);
    assert.equal(seen, 'ready\ncaught\n');
  });

  test('exec: namespaces, user, environment, directory, status', async () => {
    const b = await bundle('sleep 100', {
      edit: (config) => {
        config.process.user = { uid: 1000, gid: 1000 };
        config.process.env.push('A=1');
      },
    });
    const child = start(b);
    await untilStatus(b.id, 'running');
    const script = 'id -u; readlink /proc/self/cwd; echo $A $B; ls /proc/self/fd; true; cat /proc/self/cgroup; exit 9';
    const { code, stdout } = await command('exec', '--cwd', '/bin', '-e', 'B=2', b.id, 'sh', '-c', script);
    assert.equal(code, 9);
    const lines = stdout.split('\n');
    assert.deepEqual(lines.slice(0, 3), ['1000', '/bin', '1 2']);
    assert.ok(
      lines.some((line) => line.endsWith('/')),
      'its own cgroup is the root of its view',
    );
    const names = ['pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'];
    const links = `for n in ${names.join(' ')}; do readlink /proc/self/ns/$n; done; readlink /proc/1/ns/net`;
    const inside = (await command('exec', b.id, 'sh', '-c', links)).stdout.trim().split('\n');
    assert.equal(inside[1], inside[6]);
    const caps = await command('exec', b.id, 'grep', 'Cap', '/proc/self/status');
    assert.match(caps.stdout, /^(Cap\w+:\s*0{16}\n){5}$/);
    assert.equal((await command('exec', b.id, 'nothing')).code, 127);
    for (let fd = 3; fd < 20; fd++)
      assert.notEqual((await command('exec', '--cwd', `/proc/self/fd/${fd}`, b.id, 'true')).code, 0);
    child.kill('SIGKILL');
    await succeeds('delete', '--force', b.id);
  });

  test('kill --all reaches every process', async () => {
    const b = await bundle('sleep 100 & sleep 100 & sleep 100');
    await create(b);
    await succeeds('start', b.id);
    await untilStatus(b.id, 'running');
    await succeeds('kill', '--all', b.id, 'KILL');
    await untilStatus(b.id, 'stopped');
    await succeeds('delete', b.id);
  });

  for (const runtime of ['crun', 'runc']) {
    test(`runs a bundle written by ${runtime} spec`, async (t) => {
      const b = await bundle('true');
      try {
        await sh(`cd ${b.path} && rm config.json && ${runtime} spec`);
      } catch {
        return t.skip(`${runtime} is not installed`);
      }
      const config = JSON.parse(await readFile(join(b.path, 'config.json'), 'utf8')) as Config;
      assert.match((await command('run', '-b', b.path, b.id)).stderr, /process.terminal: terminals are not supported/);
      config.process.terminal = false;
      config.process.args = ['/bin/sh', '-c', 'echo $TERM; hostname'];
      await writeFile(join(b.path, 'config.json'), JSON.stringify(config));
      const { code, stdout, stderr } = await command('run', '-b', b.path, b.id);
      assert.deepEqual([code, stdout, stderr], [0, `xterm\n${runtime}\n`, '']);
    });
  }
});

describe('the OCI command line', { skip }, () => {
  useRunner();

  test('refuses what it does not do, with a reason', async () => {
    const cases: [string[], RegExp][] = [
      [['run', '--no-pivot', 'x'], /--no-pivot: is not supported: it would expose the host's \/proc/],
      [['create', '--console-socket', '/s', 'x'], /terminals are not supported/],
      [['--systemd-cgroup', 'run', 'x'], /cgroups are managed directly/],
      [['run', '--preserve-fds', '3', 'x'], /descriptors 0 to 2 only/],
      [['run', '--nonsense', 'x'], /--nonsense: unknown option/],
      [['run'], /a container id is required/],
      [['run', '../x'], /container id: has characters outside/],
      [['run', '..'], /container id: must have/],
      [['frobnicate', 'x'], /unknown command "frobnicate"/],
      [['kill', 'x', 'NOSIGNAL'], /"NOSIGNAL" is not a signal/],
    ];
    for (const [args, reason] of cases) {
      const { code, stderr } = await command(...args);
      assert.ok(code === 2 || code === 1, args.join(' '));
      assert.match(stderr, reason);
    }
  });

  test('refuses hooks and systemd cgroup paths, and says where a configuration is wrong', async () => {
    const cases: [(config: Config) => void, RegExp][] = [
      [(config) => (config.hooks = { prestart: [{ path: '/bin/true' }] }), /hooks: are not supported/],
      [(config) => (config.linux.cgroupsPath = 'system.slice:a:b'), /systemd slices are not supported/],
      [(config) => (config.process.user.uid = 2 ** 32), /process.user.uid: is out of range/],
      [(config) => (config.linux.namespaces = [{ type: 'pid' }]), /a new mount namespace is required/],
      [
        (config) => (config.linux.namespaces = [{ type: 'user' }]),
        /linux.namespaces\[0\].type: is not a supported namespace/,
      ],
    ];
    for (const [edit, reason] of cases) {
      const { code, stderr } = await runScript('true', { edit });
      assert.equal(code, 1);
      assert.match(stderr, reason);
    }
    assert.match((await command('run', '-b', '/no/such', 'x')).stderr, /open-bundle: \/no\/such: No such file/);
  });

  test('version, features, help, log file', async () => {
    assert.match(
      (await execute(runnerPath(), ['--version'])).stdout,
      /^edgepod-runner version \d+\.\d+\.\d+\S*\nspec: 1\.2\.0\n$/,
    );
    const features = JSON.parse((await command('features')).stdout);
    assert.deepEqual(features.linux.namespaces, ['cgroup', 'ipc', 'mount', 'network', 'pid', 'uts']);
    assert.equal(features.linux.capabilities.length, 41);
    assert.equal((await execute(runnerPath(), [])).code, 2);
    assert.match((await execute(runnerPath(), ['--help'])).stdout, /^usage: edgepod-runner/);
    const b = await bundle('true');
    await command('--log', join(b.path, 'errors'), '--log-format', 'json', 'state', 'none');
    const line = JSON.parse(await readFile(join(b.path, 'errors'), 'utf8'));
    assert.deepEqual(line, { level: 'error', msg: 'state: container none does not exist: No such file or directory' });
  });
});
