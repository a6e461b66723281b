/** What `npm run image:run` can be told, each option checked before anything is built or booted. */
import { accessSync, constants } from 'node:fs';
import { parseArgs } from 'node:util';
import { SETTINGS } from '../src/agent/config/config.ts';
import { FIRMWARE, type MachineShape } from './qemu/arguments.ts';
import { MACHINES } from './qemu/machines.ts';
import { type Moment, readMoment } from './qemu/moments.ts';
import { UsageError } from './usage.ts';

export const USAGE = `[options]
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

export interface RunOptions {
  device: string;
  broker: string;
  /** File for the boot partition instead of device and broker. */
  settings?: string;
  shape: MachineShape;
  /** Name of a disk that is kept. */
  disk?: string;
  diskMiB: number;
  /** Guest port → host port on loopback; 0: any. */
  forwards: Record<number, number>;
  moment?: Moment;
  deb?: string;
}

/** Throws UsageError, or parseArgs' own error, with what is wrong in a line. */
export function runOptions(args: string[]): RunOptions {
  const { values } = parseArgs({ args, options: OPTIONS });
  const { device, broker, settings, disk, deb, 'power-cut': cut } = values;
  for (const file of [settings, deb]) if (file !== undefined) readable(file);
  if (disk !== undefined && !/^\w[\w.-]*$/.test(disk))
    throw new UsageError(`--disk ${disk}: a name is letters, digits, "-", "_" and "."`);
  return {
    device: agentSetting('device', device),
    broker: agentSetting('broker.url', broker),
    shape: shape(values),
    diskMiB: whole('--disk-size', values['disk-size'], 1, 1 << 20),
    forwards: Object.assign({ 22: 0 }, ...values.forward.map(forward)) as Record<number, number>,
    ...(settings !== undefined && { settings }),
    ...(disk !== undefined && { disk }),
    ...(deb !== undefined && { deb }),
    ...(cut !== undefined && { moment: moment(cut, broker) }),
  };
}

const text = { type: 'string' } as const;
const OPTIONS = {
  device: { type: 'string', default: 'board' },
  broker: { type: 'string', default: 'mqtt://localhost:1883' },
  settings: text,
  memory: text,
  cpus: text,
  machine: text,
  disk: text,
  'disk-size': { type: 'string', default: '4096' },
  append: text,
  firmware: { type: 'boolean', default: false },
  forward: { type: 'string', multiple: true, default: [] as string[] },
  'power-cut': text,
  deb: text,
} as const;

interface ShapeValues {
  machine?: string | undefined;
  memory?: string | undefined;
  cpus?: string | undefined;
  append?: string | undefined;
  firmware: boolean;
}

function shape({ machine, memory, cpus, append, firmware }: ShapeValues): MachineShape {
  if (machine !== undefined && !Object.hasOwn(MACHINES, machine))
    throw new UsageError(`--machine ${machine}: there are ${Object.keys(MACHINES).join(', ')}`);
  if (memory !== undefined && !/^0*[1-9]\d*[MG]$/.test(memory))
    throw new UsageError(`--memory ${memory}: a size like 512M or 1G`);
  const named = machine === undefined ? {} : MACHINES[machine]!;
  if (firmware && (append !== undefined || named.append !== undefined || named.readOnlyRoot))
    throw new UsageError(
      `--firmware boots with the kernel command line on the disk: ${append === undefined ? `--machine ${machine}` : '--append'} would be without effect`,
    );
  return {
    ...named,
    ...(memory !== undefined && { memory }),
    // More than any board has only slow the emulation down.
    ...(cpus !== undefined && { cpus: whole('--cpus', cpus, 1, 8) }),
    ...(append !== undefined && { append }),
    ...(firmware && { firmware: FIRMWARE }),
  };
}

function whole(flag: string, value: string, min: number, max: number): number {
  const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`${flag} ${value}: a whole number from ${min} to ${max}`);
}

function forward(pair: string): Record<number, number> {
  const [guest = '', host, ...more] = pair.split(':');
  if (more.length > 0) throw new UsageError(`--forward ${pair}: GUEST or GUEST:HOST, two TCP ports`);
  const port = (value: string) => whole(`--forward ${pair}:`, value, 1, 65_535);
  return { [port(guest)]: host === undefined ? 0 : port(host) };
}

function agentSetting(key: string, value: string): string {
  try {
    SETTINGS.find((setting) => setting.key === key)!.read(value, key);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return value;
}

function moment(value: string, broker: string): Moment {
  try {
    return readMoment(value, broker);
  } catch (error) {
    throw new UsageError(`--power-cut: ${(error as Error).message}`);
  }
}

function readable(file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
