/**
 * An emulated arm64 board with everything around it: a broker on this machine, an SSH key, a disk of its own.
 *
 *   const device = await Device.start(image, { shape: { memory: '512M' } });
 *   await device.online();
 *   await device.sure('systemctl is-active edgepod');   // over SSH
 *   await device.edgepod(['get', 'pods', '-d', device.name]);   // from here, through the broker
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { stringify } from 'yaml';
import type { DeviceImage } from '../../image/device-image.ts';
import { HOST_FROM_GUEST, type MachineShape } from '../../image/qemu/arguments.ts';
import { putBootFile } from '../../image/qemu/boot-partition.ts';
import { Machine, newDisk } from '../../image/qemu/machine.ts';
import { EDGEPOD } from '../edgepod.ts';
import { type Mosquitto, startMosquitto } from '../integration/mosquitto.ts';
import { type CommandOptions, type Output, run } from './command.ts';

// What belongs to a board is ended and removed at this process's exit; a signal alone would end it without one.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Emulated boards are slow, and more so where other emulators run. */
const BOOT_PATIENCE_MS = 300_000;

export interface DeviceOptions {
  /** What the board is like; default: 1 GiB, two processors. */
  shape?: MachineShape;
  /** `edgepod.yaml` of the boot partition instead of the usual one: text as it is, or settings over the usual ones. */
  settings?: string | Record<string, unknown>;
  extraDisks?: string[];
  diskMiB?: number;
}

export class Device {
  readonly name = 'arm-board';
  readonly mosquitto: Mosquitto;
  /** The disk this board is booted from: its own, and the same after every power cut. */
  readonly disk: string;
  machine: Machine;
  #dir: string;
  #boot: () => Promise<Machine>;

  private constructor(dir: string, mosquitto: Mosquitto, machine: Machine, boot: () => Promise<Machine>) {
    this.#dir = dir;
    this.disk = diskOf(dir);
    this.mosquitto = mosquitto;
    this.machine = machine;
    this.#boot = boot;
  }

  /** Switches a board on that has never been booted. */
  static async start(image: DeviceImage, options: DeviceOptions = {}): Promise<Device> {
    const dir = mkdtempSync('/var/tmp/edgepod-arm-');
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(dir, 'key')]);
    newDisk(image.disk, diskOf(dir), options.diskMiB);
    const mosquitto = await startMosquitto();
    const boot = async () => {
      const { shape, extraDisks = [] } = options;
      const disk = { ...image, path: diskOf(dir) };
      const machine = await Machine.start({ ...shape, disk, extraDisks, forwards: { 22: 0 }, onConsole: () => {} });
      const reap = () => machine.process.kill('SIGKILL');
      process.once('exit', reap);
      machine.process.once('exit', () => process.off('exit', reap));
      return machine;
    };
    try {
      putBootFile(diskOf(dir), 'edgepod.yaml', settingsFile(options.settings, dir, mosquitto.port));
      return new Device(dir, mosquitto, await boot(), boot);
    } catch (error) {
      await mosquitto.stop();
      throw error;
    }
  }

  /** Nothing stays on this machine. */
  async stop(): Promise<void> {
    await this.machine.cutPower();
    await this.mosquitto.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Cuts the power, or takes a board that is off, and boots the same disk again. */
  async powerCycle(): Promise<void> {
    await this.machine.cutPower();
    this.machine = await this.#boot();
  }

  /** Waits until the agent is online at the broker and the board can be logged into. */
  async online(): Promise<void> {
    await this.#announced();
    const ready = async () => {
      const { stdout } = await this.edgepod(['get', 'devices', this.name]);
      return /\bReady\b/.test(stdout);
    };
    await this.until('the board to be Ready', ready);
    await this.until('SSH', async () => (await this.ssh('true')).code === 0);
  }

  /** Listens for the board's presence; asking again and again would take processor time from the board that boots. */
  async #announced(): Promise<void> {
    const client = await connectAsync(this.mosquitto.url, { protocolVersion: 5 });
    try {
      let online = false;
      client.on('message', (_topic, payload) => {
        online = /"state":"online"/.test(payload.toString());
      });
      await client.subscribeAsync(`edgepod/devices/${this.name}/presence`, { qos: 1 });
      await this.until('the board at the broker', async () => online, BOOT_PATIENCE_MS);
    } finally {
      await client.endAsync(true);
    }
  }

  /** A shell command on the board, as root over SSH. Rejects only when its time is over. */
  ssh(command: string, options: CommandOptions = {}): Promise<Output> {
    const settings = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'ConnectTimeout=60',
    ];
    const port = String(this.machine.ports.get(22));
    const args = ['-F', 'none', '-i', join(this.#dir, 'key'), '-p', port, ...settings.flatMap((text) => ['-o', text])];
    return run('ssh', [...args, 'root@127.0.0.1', command], options);
  }

  /** As `ssh`, of a command that has to succeed; resolves to what it printed. */
  async sure(command: string, options: CommandOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.ssh(command, options);
    if (code !== 0) throw new Error(`on the board: ${command}: ended with ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** `edgepod` on this machine, talking to the board through the broker alone. */
  edgepod(args: string[], options: CommandOptions = {}): Promise<Output> {
    return run(EDGEPOD, [...args, '--broker', this.mosquitto.url], options);
  }

  /** Asks until `ask` gives something, in steps of a second. Rejects when the board goes off meanwhile. */
  async until<T>(what: string, ask: () => Promise<T | undefined | false>, patienceMs = 180_000): Promise<T> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const found = await ask();
      if (found !== undefined && found !== false) return found;
      if (!this.machine.running)
        throw new Error(`the board went off while waiting for ${what}\n${this.machine.tail()}`);
      if (performance.now() > end) throw new Error(`waited in vain for ${what}\n${this.machine.tail()}`);
      await sleep(1000);
    }
  }
}

const diskOf = (dir: string) => join(dir, 'disk.img');

function settingsFile(settings: DeviceOptions['settings'] = {}, dir: string, brokerPort: number): string {
  if (typeof settings === 'string') return settings;
  return stringify({
    device: 'arm-board',
    broker: { url: `mqtt://${HOST_FROM_GUEST}:${brokerPort}` },
    ssh: { authorizedKeys: [readFileSync(join(dir, 'key.pub'), 'utf8').trim()] },
    ...settings,
  });
}
