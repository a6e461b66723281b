/**
 * `npm run image:run`: boots the device image under QEMU, with its serial console on this terminal.
 * Ctrl-A X switches it off, Ctrl-A C is QEMU's own prompt.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CACHE, deviceImage } from './device-image.ts';
import { HOST_FROM_GUEST } from './qemu/arguments.ts';
import { putBootFile } from './qemu/boot-partition.ts';
import { isFree, Machine, newDisk } from './qemu/machine.ts';
import { type RunOptions, runOptions, USAGE } from './run-options.ts';
import { inWords, UsageError } from './usage.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);

await inWords({ name: 'image:run', usage: USAGE }, () => run(runOptions(process.argv.slice(2))));

async function run(options: RunOptions): Promise<void> {
  const { deb, shape, forwards, moment, diskMiB } = options;
  for (const port of Object.values(forwards))
    if (port !== 0 && !(await isFree(port))) throw new UsageError(`port ${port} of this machine is in use`);
  const image = await deviceImage({ ...(deb !== undefined && { deb }), progress: (line) => say(`image: ${line}`) });
  const { path, fresh, forget } = disk(options.disk);
  if (fresh) {
    newDisk(image.disk, path, diskMiB);
    putBootFile(path, 'edgepod.yaml', settingsFile(options));
  }
  const boot = () =>
    Machine.start({
      ...shape,
      disk: { ...image, path },
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
      say('\n── power cut; booting the same disk again ──');
      machine = await boot();
      introduce(machine, options);
    }
    await machine.ended();
    // QEMU says itself what it could not do.
    process.exitCode ??= machine.process.exitCode ?? 1;
  } finally {
    await machine.cutPower();
    forget();
  }
}

function introduce({ ports }: Machine, { broker }: RunOptions): void {
  for (const [guest, host] of ports)
    say(`board's port ${guest} is 127.0.0.1:${host}${guest === 22 ? ` (ssh -p ${host} root@127.0.0.1)` : ''}`);
  say(`try: npx edgepod get devices --broker ${broker}`);
  if (process.stdin.isTTY) say('Ctrl-A X switches the board off; Ctrl-C goes to the board');
}

function disk(name: string | undefined) {
  if (name !== undefined) {
    mkdirSync(join(CACHE, 'disks'), { recursive: true });
    const named = join(CACHE, 'disks', `${name}.img`);
    return { path: named, fresh: !existsSync(named), forget: () => say(`kept: ${named}`) };
  }
  const dir = mkdtempSync('/var/tmp/edgepod-machine-');
  const forget = () => rmSync(dir, { recursive: true, force: true });
  process.on('exit', forget);
  return { path: join(dir, 'disk.img'), fresh: true, forget };
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
