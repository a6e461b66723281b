/**
 * `npm run image:run`: boots the device image under QEMU, with its serial console on this terminal.
 * Ctrl-A X switches it off, Ctrl-A C is QEMU's own prompt.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { CACHE, deviceImage } from './device-image.ts';
import { FIRMWARE, HOST_FROM_GUEST } from './qemu/arguments.ts';
import { putBootFile } from './qemu/boot-partition.ts';
import { Machine, newDisk } from './qemu/machine.ts';
import { MACHINES } from './qemu/machines.ts';
import { readMoment } from './qemu/moments.ts';

const USAGE = `usage: npm run image:run -- [options]
  --device ID            identity of the board (default: board)
  --broker URL           default mqtt://localhost:1883; localhost is this machine
  --settings FILE        an edgepod.yaml for the boot partition instead of --device and --broker
  --memory SIZE          default 1G            --cpus N    default 2
  --machine NAME         one of: ${Object.keys(MACHINES).join(', ')}
  --disk NAME            keep the disk under this name and boot it again next time (default: a fresh one, then removed)
  --disk-size MIB        size of a new disk (default 4096)
  --append TEXT          more kernel command line
  --firmware             boot by UEFI and the boot loader on the disk, as a real board does
  --forward GUEST[:HOST] forward one more TCP port (repeatable)
  --power-cut MOMENT     cut the power then, and boot the same disk again; once. A number of seconds, console:PATTERN when
                         the console prints it (a regular expression), or mqtt:TOPIC-FILTER when somebody publishes there
  --deb FILE             a package to install instead of one made now
`;

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'board' },
    broker: { type: 'string', default: 'mqtt://localhost:1883' },
    settings: { type: 'string' },
    memory: { type: 'string' },
    cpus: { type: 'string' },
    machine: { type: 'string' },
    disk: { type: 'string' },
    'disk-size': { type: 'string', default: '4096' },
    append: { type: 'string' },
    firmware: { type: 'boolean', default: false },
    forward: { type: 'string', multiple: true, default: [] },
    'power-cut': { type: 'string' },
    deb: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const moment = values['power-cut'] === undefined ? undefined : readMoment(values['power-cut'], values.broker);
const say = (line: string) => process.stderr.write(`${line}\n`);
const shape = values.machine === undefined ? {} : MACHINES[values.machine];
if (shape === undefined) {
  say(`no machine ${values.machine}; there are ${Object.keys(MACHINES).join(', ')}`);
  process.exit(2);
}

const image = await deviceImage({
  ...(values.deb !== undefined && { deb: values.deb }),
  progress: (line) => say(`image: ${line}`),
});
const { path, fresh, forget } = disk();
if (fresh) {
  newDisk(image.disk, path, Number(values['disk-size']));
  putBootFile(path, 'edgepod.yaml', settingsFile());
}
const forwards: Record<number, number> = { 22: 0 };
for (const pair of values.forward) {
  const [guest, host = '0'] = pair.split(':');
  forwards[Number(guest)] = Number(host);
}
const options = {
  ...shape,
  disk: { ...image, path },
  forwards,
  ...(values.memory !== undefined && { memory: values.memory }),
  ...(values.cpus !== undefined && { cpus: Number(values.cpus) }),
  ...(values.append !== undefined && { append: values.append }),
  ...(values.firmware && { firmware: FIRMWARE }),
  // The console is read here to know the moment; else QEMU has the terminal to itself.
  ...(moment && { onConsole: (text: string) => process.stdout.write(text), keyboard: true }),
};
let machine = await boot();
// Where the console is not a terminal; on one, Ctrl-C is the board's.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    process.exitCode = 130;
    machine.process.kill('SIGTERM');
  });
if (moment && (await machine.cutPowerAt(moment))) {
  say('\n── power cut; booting the same disk again ──');
  machine = await boot();
}
await machine.ended();
forget();

async function boot(): Promise<Machine> {
  const started = await Machine.start(options);
  for (const [guest, host] of started.ports)
    say(`board's port ${guest} is 127.0.0.1:${host}${guest === 22 ? ` (ssh -p ${host} root@127.0.0.1)` : ''}`);
  say(`try: npx edgepod get devices --broker ${values.broker}`);
  if (process.stdin.isTTY) say('Ctrl-A X switches the board off; Ctrl-C goes to the board');
  return started;
}

function disk() {
  if (values.disk !== undefined) {
    mkdirSync(join(CACHE, 'disks'), { recursive: true });
    const named = join(CACHE, 'disks', `${values.disk}.img`);
    return { path: named, fresh: !existsSync(named), forget: () => say(`kept: ${named}`) };
  }
  const dir = mkdtempSync('/var/tmp/edgepod-machine-');
  const forget = () => rmSync(dir, { recursive: true, force: true });
  process.on('exit', forget);
  return { path: join(dir, 'disk.img'), fresh: true, forget };
}

/** What the boot partition says: the caller's file, or device, broker and the caller's own SSH keys. */
function settingsFile(): string {
  if (values.settings !== undefined) return readFileSync(values.settings, 'utf8');
  const url = values.broker.replace(/\/\/([^/]*@)?(localhost|127\.0\.0\.1)(?=[:/]|$)/, `//$1${HOST_FROM_GUEST}`);
  const keys = ['id_ed25519.pub', 'id_ecdsa.pub', 'id_rsa.pub']
    .map((name) => join(homedir(), '.ssh', name))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, 'utf8').trim());
  return stringify({
    device: values.device,
    broker: { url },
    ...(keys.length > 0 && { ssh: { authorizedKeys: keys } }),
  });
}
