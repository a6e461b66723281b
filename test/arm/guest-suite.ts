/** The project's own tests on an emulated board: from the disk of suite-disk.ts, by SSH, with a broker on this machine. */
import { HOST_FROM_GUEST } from '../../image/qemu/arguments.ts';
import type { Output } from './command.ts';
import type { Device } from './device.ts';
import { PACKAGES } from './suite-disk.ts';

const MOUNT = '/opt/edgepod-suite';
/** On two emulated processors that share this machine's with the rest of the suite. */
const SLOWNESS = 10;
const FILE_PATIENCE_MS = 600_000;

/** Mounts the suite's disk, the second one. */
export async function prepareGuest(device: Device): Promise<void> {
  await device.sure(`mkdir -p ${MOUNT} && mount -o ro /dev/vdb ${MOUNT}`);
}

/** Installs the packages that the suite's disk was made with, on the board's own disk. Starts none of their services. */
export async function installPackages(device: Device): Promise<void> {
  const policy = "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d";
  // Nothing of these belongs in the initrd, whose making takes minutes here.
  const noInitrd = 'echo update_initramfs=no > /etc/initramfs-tools/update-initramfs.conf';
  const install = `DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io -i ${MOUNT}/${PACKAGES}/*.deb`;
  await device.sure(`${policy} && ${noInitrd} && ${install} && rm /usr/sbin/policy-rc.d`, {
    patienceMs: FILE_PATIENCE_MS,
  });
}

/** Runs one file of test/integration on the board. */
export function runInGuest(device: Device, file: string): Promise<Output> {
  return nodeInGuest(device, ['--test-reporter=spec', `test/integration/${file}`]);
}

interface GuestOptions {
  environment?: Record<string, string>;
  patienceMs?: number;
}

/**
 * The Node of the installed package on the board, in the suite's directory, with the installed edgepod as the command under
 * test. What it prints goes to this process's output as it comes.
 */
export function nodeInGuest(device: Device, args: string[], options: GuestOptions = {}): Promise<Output> {
  const { environment = {}, patienceMs = FILE_PATIENCE_MS } = options;
  const settings = {
    EDGEPOD_COMMAND: '/usr/bin/edgepod',
    EDGEPOD_PREBUILT: '1',
    EDGEPOD_TEST_BROKER: `mqtt://${HOST_FROM_GUEST}:${device.mosquitto.port}`,
    EDGEPOD_TEST_SLOWNESS: String(SLOWNESS),
    // Modules are stripped of types and compiled once, not once a file.
    NODE_COMPILE_CACHE: '/var/tmp/compile-cache',
    PATH: '/usr/lib/edgepod:/usr/sbin:/usr/bin',
    ...environment,
  };
  return inSuite(
    device,
    ['env', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`), 'node', ...args],
    {
      patienceMs,
    },
  );
}

/** A command in the suite's directory on the board. */
export function inSuite(device: Device, command: string[], { patienceMs = FILE_PATIENCE_MS } = {}): Promise<Output> {
  const onOutput = (text: string) => process.stdout.write(text);
  return device.ssh(`cd ${MOUNT} && ${command.join(' ')}`, { patienceMs, onOutput });
}
