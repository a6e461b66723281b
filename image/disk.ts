/**
 * A disk image of a file tree: GPT with a FAT boot partition (boot loader, kernel, initrd, edgepod.yaml) and an ext4 root.
 * The data partition is made on the first boot, in what the disk has left.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelArguments, ROOT_ID } from './command-line.ts';

export const MIB = 1 << 20;
/** Byte offset of the boot partition: where mtools find it in the image. */
export const BOOT_OFFSET = MIB;
/** Room for kernel and initrd twice: while they are replaced, the old ones stay (Debian's full kernel: some 70 MB). */
const BOOT_MIB = 256;
const ROOT_MIB = 1536;
/** Fixed, so that the same tree gives the same image. */
const IDS = {
  disk: 'e0d9e90d-0000-4000-8000-000000000001',
  boot: 'e0d9e90d-0000-4000-8000-000000000002',
  root: ROOT_ID,
};
const FAT_ID = 'E0D9E90D';

export interface DiskParts {
  /** The root file system as a directory. */
  tree: string;
  /** Files beside kernel and boot loader on the boot partition. */
  bootFiles: string[];
  /** The image to write; temporary files go beside it. */
  output: string;
  /** Whether the root is mounted read-only unless somebody changes `default` in loader/loader.conf. */
  readOnlyRoot: boolean;
  /** Seconds since 1970 for every time stamp the tools would take from the clock. */
  epoch: number;
}

export function writeDisk(parts: DiskParts): void {
  const { tree, output, epoch } = parts;
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch), MTOOLS_SKIP_CHECK: '1', TZ: 'UTC' };
  const boot = `${output}.boot`;
  const root = `${output}.root`;
  writeBoot(boot, parts, env);
  rmSync(root, { force: true });
  execFileSync(
    'mke2fs',
    [
      '-q',
      '-t',
      'ext4',
      '-L',
      'edgepod-root',
      '-U',
      IDS.root,
      '-E',
      `hash_seed=${IDS.root},root_owner=0:0`,
      '-m',
      '1',
      '-d',
      tree,
      root,
      `${ROOT_MIB}M`,
    ],
    { env },
  );
  rmSync(output, { force: true });
  writeFileSync(output, '');
  truncateSync(output, (BOOT_MIB + ROOT_MIB + 2) * MIB);
  const table = [
    'label: gpt',
    `label-id: ${IDS.disk}`,
    `start=1MiB, size=${BOOT_MIB}MiB, type=uefi, uuid=${IDS.boot}, name=edgepod-boot`,
    // The arm64 root type of the discoverable partitions specification.
    `start=${1 + BOOT_MIB}MiB, size=${ROOT_MIB}MiB, type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE, uuid=${IDS.root}, name=edgepod-root`,
  ];
  execFileSync('sfdisk', ['-q', output], { input: `${table.join('\n')}\n` });
  for (const [part, at] of [
    [boot, 1],
    [root, 1 + BOOT_MIB],
  ] as const) {
    execFileSync('dd', [`if=${part}`, `of=${output}`, 'bs=1M', `seek=${at}`, 'conv=notrunc,sparse', 'status=none']);
    rmSync(part);
  }
}

/** The newest kernel of the tree and its initrd. */
export function kernelFiles(tree: string): { kernel: string; initrd: string } {
  const version = readdirSync(join(tree, 'lib/modules')).sort().at(-1);
  if (version === undefined) throw new Error(`${tree} has no kernel`);
  return { kernel: join(tree, 'boot', `vmlinuz-${version}`), initrd: join(tree, 'boot', `initrd.img-${version}`) };
}

function writeBoot(image: string, { tree, bootFiles, readOnlyRoot }: DiskParts, env: NodeJS.ProcessEnv): void {
  const work = `${image}.d`;
  rmSync(work, { recursive: true, force: true });
  for (const dir of ['EFI/BOOT', 'EFI/systemd', 'loader/entries']) mkdirSync(join(work, dir), { recursive: true });
  const loader = join(tree, 'usr/lib/systemd/boot/efi/systemd-bootaa64.efi');
  copyFileSync(loader, join(work, 'EFI/BOOT/BOOTAA64.EFI'));
  const { kernel, initrd } = kernelFiles(tree);
  copyFileSync(kernel, join(work, 'vmlinuz'));
  copyFileSync(initrd, join(work, 'initrd.img'));
  writeLoaderEntries(join(work, 'loader'), readOnlyRoot);
  for (const file of bootFiles) copyFileSync(file, join(work, file.slice(file.lastIndexOf('/') + 1)));
  rmSync(image, { force: true });
  execFileSync(
    'mkfs.vfat',
    ['-C', '-F', '32', '-n', 'EDGEPODBOOT', '-i', FAT_ID, '--invariant', image, String(BOOT_MIB * 1024)],
    { env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  execFileSync(
    'mcopy',
    [
      '-s',
      '-i',
      image,
      ...readdirSync(work)
        .sort()
        .map((name) => join(work, name)),
      '::/',
    ],
    { env },
  );
  rmSync(work, { recursive: true });
}

/** Two ways to boot the same disk; the first line of loader.conf says which, for people to edit on the boot partition. */
function writeLoaderEntries(loader: string, readOnlyRoot: boolean): void {
  for (const readOnly of [false, true]) {
    const title = `title edgepod${readOnly ? ', read-only root' : ''}`;
    const entry = [title, 'linux /vmlinuz', 'initrd /initrd.img', `options ${kernelArguments(readOnly)}`];
    writeFileSync(join(loader, 'entries', `${entryName(readOnly)}.conf`), `${entry.join('\n')}\n`);
  }
  writeFileSync(join(loader, 'loader.conf'), `default ${entryName(readOnlyRoot)}.conf\ntimeout 0\n`);
}

const entryName = (readOnlyRoot: boolean): string => (readOnlyRoot ? 'edgepod-read-only' : 'edgepod');
