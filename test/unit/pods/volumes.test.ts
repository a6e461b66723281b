/** Volumes on a real file system; tmpfs mounts are recorded, since mounting needs root. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { HostPathType } from '../../../src/manifest/types/volumes.ts';
import { podFiles } from '../../../src/pods/files/pod-files.ts';
import { removeTree } from '../../../src/pods/files/remove-tree.ts';
import { tmpfsSize } from '../../../src/pods/volumes/empty-dir.ts';
import { resolveHostPath } from '../../../src/pods/volumes/host-path.ts';
import { checkSubPath } from '../../../src/pods/volumes/sub-path.ts';
import { volumeHost } from '../../../src/pods/volumes/volume-host.ts';
import { container, mount, pod } from './fixtures.ts';

const root = await mkdtemp(join(tmpdir(), 'edgepod-volumes-'));
after(() => rm(root, { recursive: true, force: true }));
const at = (...parts: string[]) => join(root, ...parts);
const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

await mkdir(at('dir'));
await writeFile(at('file'), '');
await symlink(at('dir'), at('link'));
await symlink('/nowhere', at('dangling'));
execFileSync('mkfifo', [at('fifo')]);
const server = createServer();
await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
after(() => server.close());

describe('hostPath', () => {
  const good: [HostPathType, string][] = [
    ['', at('dir')],
    ['', at('file')],
    ['Directory', at('dir')],
    ['DirectoryOrCreate', at('dir')],
    ['File', at('file')],
    ['FileOrCreate', at('file')],
    ['Socket', at('socket')],
    ['CharDevice', '/dev/null'],
  ];
  for (const [type, path] of good) {
    test(`"${type}" takes ${path.replace(root, '')}`, async () => {
      assert.equal(await resolveHostPath('v', path, type), path);
    });
  }

  const bad: [HostPathType, string, RegExp][] = [
    ['', at('missing'), /hostPath type "": it does not exist; create it on the device/],
    ['Directory', at('missing'), /it does not exist/],
    ['Directory', at('file'), /it is not a directory, but a regular file/],
    ['DirectoryOrCreate', at('file'), /it (is not a directory|could not be created)/],
    ['DirectoryOrCreate', at('file', 'below'), /it could not be created: ENOTDIR|ENOTDIR/],
    ['File', at('dir'), /it is not a regular file, but a directory/],
    ['FileOrCreate', at('missing', 'file'), /it could not be created: ENOENT/],
    ['FileOrCreate', at('dangling'), /does not exist/],
    ['Socket', at('file'), /it is not a unix socket/],
    ['CharDevice', at('fifo'), /it is not a character device, but a FIFO/],
    ['BlockDevice', '/dev/null', /it is not a block device, but a character device/],
  ];
  for (const [type, path, message] of bad) {
    test(`"${type}" refuses ${path.replace(root, '')}`, async () => {
      await assert.rejects(resolveHostPath('v', path, type), message);
    });
  }

  test('created with the modes of Kubernetes, whatever the umask', async () => {
    const umask = process.umask(0o077);
    try {
      await resolveHostPath('v', at('made', 'deep'), 'DirectoryOrCreate');
      await resolveHostPath('v', at('made', 'file'), 'FileOrCreate');
    } finally {
      process.umask(umask);
    }
    assert.equal(await modeOf(at('made', 'deep')), '755');
    assert.equal(await modeOf(at('made', 'file')), '644');
  });

  test('a symlink on the host is followed, and what was checked is what is mounted', async () => {
    assert.equal(await resolveHostPath('v', at('link'), 'Directory'), at('dir'));
  });
});

describe('subPath', () => {
  test('what is missing, a file, and a link inside the volume are taken', async () => {
    await mkdir(at('volume', 'b'), { recursive: true });
    await writeFile(at('volume', 'settings'), '');
    await symlink('b', at('volume', 'inside'));
    assert.equal(await checkSubPath('v', at('volume'), './a//b'), 'a/b');
    assert.equal(await checkSubPath('v', at('volume'), 'settings'), 'settings');
    assert.equal(await checkSubPath('v', at('volume'), 'inside/x'), 'inside/x');
  });

  const bad: [string, () => Promise<unknown>, RegExp][] = [
    ['../outside', async () => {}, /must stay inside the volume/],
    ['/etc', async () => {}, /must stay inside the volume/],
    ['a/../../etc', async () => {}, /must stay inside the volume/],
    ['host/etc', () => symlink('/', at('volume', 'host')), /a symbolic link leads outside/],
    ['b/last', () => symlink('/etc', at('volume', 'b', 'last')), /a symbolic link leads outside/],
  ];
  for (const [subPath, prepare, message] of bad) {
    test(`CVE-2017-1002101: ${subPath} is refused`, async () => {
      await prepare();
      await assert.rejects(checkSubPath('v', at('volume'), subPath), message);
    });
  }
});

describe('emptyDir', () => {
  const sizes: [string | undefined, number | undefined, number, number][] = [
    [undefined, undefined, 1000, 1000],
    ['400', undefined, 1000, 400],
    ['400', 300, 1000, 300],
    ['4Ki', undefined, 1000, 1000],
    ['0', 0, 1000, 1000],
  ];
  for (const [sizeLimit, podLimit, allocatable, want] of sizes) {
    test(`size of ${sizeLimit}, ${podLimit}, ${allocatable}`, () => {
      assert.equal(tmpfsSize(sizeLimit, podLimit, allocatable), want);
    });
  }

  test('prepared, found again, mounted, and removed with all in it', async () => {
    const calls: string[] = [];
    const paths = { dataDir: at('data'), logDir: at('logs'), runDir: at('run') };
    const host = volumeHost({
      paths,
      allocatableMemory: () => 1000,
      objects: { configMap: () => undefined, secret: () => undefined },
      images: { ensure: async () => Promise.reject(new Error('no images here')) },
      nodeFacts: () => ({ nodeName: 'n', allocatable: { cpu: '4', memory: '1Gi', 'ephemeral-storage': '8Gi' } }),
      now: () => new Date(),
      system: {
        mountTmpfs: async (path, { sizeBytes, mode }) =>
          void calls.push(`mount ${path} ${sizeBytes} ${mode.toString(8)}`),
        mountLayers: async (path) => void calls.push(`layers ${path}`),
        unmount: async (path) => void calls.push(`unmount ${path}`),
        setTreeGroup: async (path, group) => void calls.push(`group ${path} ${group}`),
      },
    });
    const object = pod('p', {
      volumes: [
        { name: 'disk', emptyDir: {} },
        { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '500' } },
        { name: 'host', hostPath: { path: at('dir'), type: '' } },
      ],
      containers: [
        container('c', {
          volumeMounts: [mount('disk', '/d', { readOnly: true, subPath: 'x' }), mount('host', '/h')],
        }),
      ],
    });
    const volumes = await host.prepare('u', object);
    await writeFile(join(volumes.disk ?? '', 'kept'), '1');
    assert.deepEqual(await host.prepare('u', object), volumes);
    assert.equal(await readFile(join(volumes.disk ?? '', 'kept'), 'utf8'), '1');
    assert.equal(await modeOf(volumes.disk ?? ''), '777');
    assert.equal(calls[0], `mount ${at('run', 'pods-volumes', 'u', 'mem')} 500 1777`);
    const disk = at('data', 'pods', 'u', 'volumes', 'disk');
    assert.deepEqual(await host.mounts(object, 'c', volumes, new Map()), [
      { source: disk, destination: '/d', readOnly: true, within: { root: disk, subPath: 'x' } },
      { source: at('dir'), destination: '/h', readOnly: false },
    ]);
    await host.sweep(new Set(['u']));
    assert.ok(await stat(disk));
    await host.remove('u');
    await host.remove('u');
    assert.equal(calls.at(-1), `unmount ${at('run', 'pods-volumes', 'u', 'mem')}`);
    await assert.rejects(lstat(at('run', 'pods-volumes')), { code: 'ENOENT' });
    await assert.rejects(lstat(disk), { code: 'ENOENT' });
    assert.ok(await stat(at('dir')), 'a host path is never touched');
  });
});

describe('files', () => {
  const files = podFiles({ dataDir: at('fd'), logDir: at('fl'), runDir: at('fr') });

  test('identity files are 0644 and not written through a symlink', async () => {
    await files.writeIdentity('u', { hosts: 'h', hostname: 'n', resolvConf: 'r' });
    assert.equal(await modeOf(at('fd', 'pods', 'u', 'etc', 'hosts')), '644');
    await rm(at('fd', 'pods', 'u', 'etc', 'hosts'));
    await symlink(at('file'), at('fd', 'pods', 'u', 'etc', 'hosts'));
    await assert.rejects(files.writeIdentity('u', { hosts: 'x', hostname: 'n', resolvConf: 'r' }), { code: 'ELOOP' });
    assert.equal(await readFile(at('file'), 'utf8'), '');
  });

  test('an attempt begins with empty directories; older attempts are dropped', async () => {
    const record = { uid: 'u', namespace: 'default', name: 'p' } as Parameters<typeof files.prepareAttempt>[0];
    const first = await files.prepareAttempt(record, 'c', 0);
    await writeFile(join(first.upper, 'left'), '');
    const again = await files.prepareAttempt(record, 'c', 0);
    await assert.rejects(lstat(join(again.upper, 'left')), { code: 'ENOENT' });
    await files.prepareAttempt(record, 'c', 1);
    await files.dropOldAttempts('u', 'c', 1);
    await assert.rejects(lstat(first.upper), { code: 'ENOENT' });
    assert.ok(await stat(at('fl', 'default_p_u', 'c')));
    await files.removeLogs(record);
    await assert.rejects(lstat(at('fl', 'default_p_u')), { code: 'ENOENT' });
  });

  test('a tree deeper than any path name can tell is removed', async () => {
    // 40 × 200 bytes: twice PATH_MAX. Built from within, as a container would.
    execFileSync('sh', [
      '-c',
      `mkdir "${at('deep')}" && cd -P "${at('deep')}" && n=0 && name=$(printf 'd%.0s' $(seq 200)) && while [ $n -lt 40 ]; do mkdir $name && cd $name 2>/dev/null || exit 0; n=$((n+1)); done`,
    ]);
    await removeTree(at('deep'));
    await assert.rejects(lstat(at('deep')), { code: 'ENOENT' });
  });
});
