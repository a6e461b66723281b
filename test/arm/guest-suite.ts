/** The project's own tests on an emulated board: from the disk of suite-disk.ts, by SSH, with a broker on this machine. */
import { HOST_FROM_GUEST } from '../../image/qemu/arguments.ts';
import type { Output } from './command.ts';
import type { Device } from './device.ts';

const MOUNT = '/opt/edgepod-suite';
/** On two emulated processors that share this machine's with the rest of the suite. */
const SLOWNESS = 10;
const FILE_PATIENCE_MS = 600_000;

/** Mounts the suite's disk, the second one. */
export async function prepareGuest(device: Device): Promise<void> {
  await device.sure(`mkdir -p ${MOUNT} && mount -o ro /dev/vdb ${MOUNT}`);
}

/**
 * Runs one file of test/integration with the Node of the installed package, and the installed edgepod as the command under
 * test. What it prints goes to this process's output as it comes.
 */
export function runInGuest(device: Device, file: string): Promise<Output> {
  const environment = {
    EDGEPOD_COMMAND: '/usr/bin/edgepod',
    EDGEPOD_PREBUILT: '1',
    EDGEPOD_TEST_BROKER: `mqtt://${HOST_FROM_GUEST}:${device.mosquitto.port}`,
    EDGEPOD_TEST_SLOWNESS: String(SLOWNESS),
    // Modules are stripped of types and compiled once, not once a file.
    NODE_COMPILE_CACHE: '/var/tmp/compile-cache',
    PATH: '/usr/lib/edgepod:/usr/sbin:/usr/bin',
  };
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const command = `cd ${MOUNT} && env ${settings.join(' ')} node --test-reporter=spec test/integration/${file}`;
  return device.ssh(command, { patienceMs: FILE_PATIENCE_MS, onOutput: (text) => process.stdout.write(text) });
}
