/** The same container on kernels that lack the newer system calls: it must look the same from inside. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { bundle, type Config, type Outcome, run, runWithout, scratch, skip, useRunner } from './oci-bundle.ts';

const MOUNTS = ['open_tree', 'move_mount', 'fsopen', 'fsmount', 'mount_setattr'];
const KERNELS: Record<string, string[]> = {
  'before openat2 (5.6)': ['openat2'],
  'before clone3 (5.3)': ['clone3'],
  'before close_range (5.9)': ['close_range'],
  'before mount_setattr (5.12)': ['mount_setattr'],
  'before the new mount interface (5.2)': MOUNTS,
  'before pidfds (5.3)': ['pidfd_open', 'pidfd_send_signal', 'clone3'],
  'with none of them': [...MOUNTS, 'openat2', 'clone3', 'close_range', 'pidfd_open', 'pidfd_send_signal', 'faccessat2'],
};

/** Mount point, options and type of every mount of the container; identity, devices, descriptors, attack results. */
const PORTRAIT = `
  while read id parent dev root point options rest; do echo "$point $options"; done < /proc/self/mountinfo
  ls /dev; ls /proc/1/fd; true; id; grep -E "Cap|NoNew" /proc/self/status
  cat /bound/file; touch /bound/x 2>&1; touch /proc/sys/x 2>&1; stat -c %t:%T /proc/keys; cat /overlaid; pwd`;

const sorted = (outcome: Outcome) => ({ ...outcome, stdout: outcome.stdout.split('\n').sort() });

describe('older kernels', { skip }, () => {
  useRunner();
  let edit: (config: Config) => void;
  before(async () => {
    const volume = join(scratch(), 'volume');
    const layers = ['lower', 'upper', 'work'].map((name) => join(scratch(), 'layers', name));
    await Promise.all([volume, ...layers].map((path) => mkdir(path, { recursive: true })));
    await writeFile(join(volume, 'file'), 'bound');
    await writeFile(join(layers[0] as string, 'overlaid'), 'overlaid');
    edit = (config) => {
      config.mounts.push({
        destination: '/bound',
        type: 'bind',
        source: volume,
        options: ['rbind', 'ro', 'nosuid', 'rprivate'],
      });
      const rootfs = join(scratch(), config.linux.cgroupsPath.split('/')[1] as string, 'rootfs');
      config.annotations = {
        'io.edgepod.rootfs.lowerdir': JSON.stringify([layers[0], rootfs]),
        'io.edgepod.rootfs.upperdir': layers[1] as string,
        'io.edgepod.rootfs.workdir': layers[2] as string,
      };
      config.root = { path: 'merged', readonly: true };
      config.process.user = { uid: 12, gid: 34, additionalGids: [56] };
      config.process.noNewPrivileges = true;
      config.process.cwd = '/bound';
    };
  });

  for (const [name, missing] of Object.entries(KERNELS)) {
    test(`a container ${name}`, async () => {
      const expected = await run(await bundle(PORTRAIT, { edit }));
      assert.equal(expected.code, 0, expected.stderr);
      assert.match(expected.stdout, /bound.*Read-only[\s\S]*overlaid/);
      const actual = await runWithout(missing, await bundle(PORTRAIT, { edit }));
      // Mounts are listed by age, and older interfaces make them in another order.
      assert.deepEqual(sorted(actual), sorted(expected));
    });

    test(`attacks ${name}`, async () => {
      const canary = join(scratch(), 'canary', name.replaceAll(' ', '-'));
      await mkdir(canary, { recursive: true });
      const attack = async (
        prepare: (rootfs: string) => Promise<unknown>,
        change: (config: Config) => void = () => {},
      ) => {
        const { code, stdout } = await runWithout(missing, await bundle('echo ran', { prepare, edit: change }));
        assert.deepEqual([code, stdout], [1, '']);
      };
      await attack((rootfs) => symlink(canary, join(rootfs, 'proc')));
      await attack((rootfs) => symlink(canary, join(rootfs, 'dev')));
      await attack(
        (rootfs) => symlink(join(canary, 'missing'), join(rootfs, 'link')),
        (config) => config.mounts.push({ destination: '/link/x', type: 'tmpfs', source: 'tmpfs', options: [] }),
      );
      await attack(
        async () => {},
        (config) => (config.process.cwd = '/proc/self/fd/5'),
      );
      assert.ok(!existsSync(join(canary, 'missing')) && !existsSync(join(canary, 'null')));
    });

    test(`a missing command ${name}`, async () => {
      const b = await bundle('', { edit: (config) => (config.process.args = ['nothing']) });
      const { code, stderr } = await runWithout(missing, b);
      assert.deepEqual(
        [code, stderr],
        [127, 'edgepod-runner: exec: nothing: not found in PATH: No such file or directory\n'],
      );
    });
  }
});
