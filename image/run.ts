/**
 * `npm run image:run`: boots the device image under QEMU, with its serial console on this terminal.
 * Ctrl-A X switches it off, Ctrl-A C is QEMU's own prompt.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CACHE, type DeviceImage, deviceImage, KERNEL } from './device-image.ts';
import { HOST_FROM_GUEST } from './qemu/arguments.ts';
import { putBootFile } from './qemu/boot-partition.ts';
import { type Disk, isFree, Machine, newDisk } from './qemu/machine.ts';
import { type RunOptions, runOptions, USAGE } from './run-options.ts';
import { inWords, UsageError } from './usage.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);

await inWords({ name: 'image:run', usage: USAGE }, () => run(runOptions(process.argv.slice(2))));

async function run(options: RunOptions): Promise<void> {
  const { shape, forwards, moment } = options;
  for (const port of Object.values(forwards))
    if (port !== 0 && !(await isFree(port))) throw new UsageError(`port ${port} of this machine is in use`);
  const { disk, leave } = await (options.disk === undefined ? ownDisk(options) : keptDisk(options.disk, options));
  const restoreTerminal = rememberTerminal();
  const boot = () =>
    Machine.start({
      ...shape,
      reboots: true,
      disk,
      forwards,
      // The console is read here to know the moment; else QEMU has the terminal to itself.
      ...(moment && { onConsole: (text: string) => process.stdout.write(text), keyboard: true }),
    });
  let machine = await boot();
  introduce(machine, options);
  // Where the console is not a terminal; on one, Ctrl-C is the board's.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      process.exitCode = 130;
      machine.process.kill('SIGTERM');
    });
  try {
    if (moment && (await machine.cutPowerAt(moment))) {
      restoreTerminal();
      say('\n── power cut; booting the same disk again ──');
      machine = await boot();
      introduce(machine, options);
    }
    await machine.ended();
    // QEMU says itself what it could not do.
    process.exitCode ??= machine.process.exitCode ?? 1;
  } finally {
    await machine.cutPower();
    restoreTerminal();
    leave();
  }
}

function introduce({ ports }: Machine, { broker }: RunOptions): void {
  for (const [guest, host] of ports)
    say(`board's port ${guest} is 127.0.0.1:${host}${guest === 22 ? ` (ssh -p ${host} root@127.0.0.1)` : ''}`);
  say(`try: npx edgepod get devices --broker ${broker}`);
  if (process.stdin.isTTY) say('Ctrl-A X switches the board off; Ctrl-C goes to the board');
}

interface Taken {
  disk: Disk;
  /** When the board is off for good. */
  leave: () => void;
}

/** A disk for this one board. */
async function ownDisk(options: RunOptions): Promise<Taken> {
  const image = await imageFor(options);
  const dir = mkdtempSync('/var/tmp/edgepod-machine-');
  const leave = () => rmSync(dir, { recursive: true, force: true });
  process.on('exit', leave);
  return { disk: newBoardDisk(image, dir, options), leave };
}

/** A disk that stays, with the kernel it was made with: another has no modules on it. */
async function keptDisk(name: string, options: RunOptions): Promise<Taken> {
  const dir = join(CACHE, 'disks', name);
  const leave = () => say(`kept: ${diskIn(dir).path}`);
  if (existsSync(dir)) {
    say(`disk ${name} is there: image, package, size and edgepod.yaml are as when it was made`);
    return { disk: diskIn(dir), leave };
  }
  const image = await imageFor(options);
  const making = `${dir}.new`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  newBoardDisk(image, making, options);
  renameSync(making, dir);
  return { disk: diskIn(dir), leave };
}

function imageFor({ deb, shape: { kernel = KERNEL } }: RunOptions): Promise<DeviceImage> {
  return deviceImage({ ...(deb !== undefined && { deb }), kernel, progress: (line) => say(`image: ${line}`) });
}

function diskIn(dir: string): Disk {
  return { path: join(dir, 'disk.img'), kernel: join(dir, 'vmlinuz'), initrd: join(dir, 'initrd.img') };
}

function newBoardDisk(image: DeviceImage, dir: string, options: RunOptions): Disk {
  const disk = diskIn(dir);
  newDisk(image.disk, disk.path, options.diskMiB);
  copyFileSync(image.kernel, disk.kernel);
  copyFileSync(image.initrd, disk.initrd);
  putBootFile(disk.path, 'edgepod.yaml', settingsFile(options));
  return disk;
}

/** QEMU takes the terminal raw, and a killed one does not give it back. */
function rememberTerminal(): () => void {
  if (!process.stdin.isTTY) return () => {};
  const terminal = { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' } as const;
  const settings = execFileSync('stty', ['-g'], terminal).trim();
  return () => void execFileSync('stty', [settings], terminal);
}

/** What the boot partition says: the caller's file, or device, broker and the caller's own SSH keys. */
function settingsFile({ settings, broker, device }: RunOptions): string {
  if (settings !== undefined) return readFileSync(settings, 'utf8');
  const url = broker.replace(/\/\/([^/]*@)?(localhost|127\.0\.0\.1)(?=[:/]|$)/, `//$1${HOST_FROM_GUEST}`);
  const keys = ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub']
    .map((name) => join(homedir(), '.ssh', name))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim());
  return stringify({ device, broker: { url }, ...(keys.length > 0 && { ssh: { authorizedKeys: keys } }) });
}
