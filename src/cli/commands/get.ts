/** `edgepod get pods|devices`: what the devices last reported. */
import type { Command } from 'commander';
import type { Device, DevicePod, Fleet, Message } from '../../client/fleet.ts';
import { deviceTopic, podStatusTopic } from '../../client/topics.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { deviceHeadings, deviceRow } from '../output/device-rows.ts';
import { type PodColumns, podHeadings, podRow } from '../output/pod-rows.ts';
import { type OutputFormat, outputFormat, printObjects } from '../output/print.ts';
import { table } from '../output/table.ts';
import { interrupted } from '../signals.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
  allNamespaces?: boolean;
  output?: string;
  watch?: boolean;
}

export function registerGet(program: Command): void {
  withConnection(program.command('get'))
    .description('list pods or devices: `get pods`, `get pod NAME`, `get devices`')
    .argument('<kind>', 'pods or devices')
    .argument('[names...]', 'only these')
    .option('-d, --device <id>', 'only this device (default: all)')
    .option('-n, --namespace <name>', 'namespace', 'default')
    .option('-A, --all-namespaces', 'pods of every namespace')
    .option('-o, --output <format>', 'wide, json or yaml')
    .option('-w, --watch', 'keep listing changes')
    .action(
      action(async (kind: string, names: string[], flags: Flags) => {
        const format = outputFormat(flags.output);
        if (['pod', 'pods', 'po'].includes(kind))
          await withFleet(flags, (fleet) => getPods(fleet, names, flags, format));
        else if (['device', 'devices', 'node', 'nodes'].includes(kind))
          await withFleet(flags, (fleet) => getDevices(fleet, names, flags, format));
        else throw new CommandError(`there is no kind "${kind}": use pods or devices`);
      }),
    );
}

async function getPods(fleet: Fleet, names: string[], flags: Flags, format: OutputFormat): Promise<void> {
  const namespace = flags.allNamespaces ? '+' : flags.namespace;
  const device = flags.device ?? '+';
  const wanted = ({ pod }: DevicePod) => names.length === 0 || names.includes(pod.metadata.name);
  const found = (await fleet.pods({ device, namespace })).filter(wanted);
  for (const name of names)
    if (!found.some(({ pod }) => pod.metadata.name === name)) {
      process.stderr.write(`error: pods "${name}" not found${flags.device ? ` on ${flags.device}` : ''}\n`);
      process.exitCode = 1;
    }
  const columns: PodColumns = {
    wide: format === 'wide',
    namespaces: flags.allNamespaces === true,
    devices: flags.device === undefined,
  };
  if (format === 'json' || format === 'yaml')
    await printObjects(
      found.map(({ pod }) => pod),
      format,
      names.length === 1,
    );
  else if (found.length > 0 || flags.watch)
    process.stdout.write(
      table(
        podHeadings(columns),
        found.map((pod) => podRow(pod, columns)),
      ),
    );
  else if (names.length === 0)
    process.stderr.write(`No resources found${flags.allNamespaces ? '' : ` in ${flags.namespace} namespace`}.\n`);
  if (!flags.watch) return;
  const rows = found.map((pod) => podRow(pod, columns));
  await watch(fleet, podStatusTopic(fleet.prefix, device, namespace, '+'), async (message) => {
    const pod = fleet.podOf(message);
    if (!pod || !wanted(pod)) return;
    if (format === 'json' || format === 'yaml') return printObjects([pod.pod], format, true);
    const row = podRow(pod, columns);
    rows.push(row);
    process.stdout.write(lastLine(table(podHeadings(columns), rows)));
  });
}

async function getDevices(fleet: Fleet, names: string[], flags: Flags, format: OutputFormat): Promise<void> {
  const only = flags.device ? [...names, flags.device] : names;
  const wanted = ({ name }: Device) => only.length === 0 || only.includes(name);
  const found = (await fleet.devices()).filter(wanted);
  for (const name of only)
    if (!found.some((device) => device.name === name)) {
      process.stderr.write(`error: devices "${name}" not found\n`);
      process.exitCode = 1;
    }
  const wide = format === 'wide';
  const node = (device: Device) => ({ ...device.node, presence: device.presence });
  if (format === 'json' || format === 'yaml') await printObjects(found.map(node), format, only.length === 1);
  else if (found.length > 0 || flags.watch)
    process.stdout.write(
      table(
        deviceHeadings(wide),
        found.map((device) => deviceRow(device, wide)),
      ),
    );
  else if (only.length === 0) process.stderr.write('No devices have reported to this broker.\n');
  if (!flags.watch) return;
  const rows = found.map((device) => deviceRow(device, wide));
  await watch(fleet, deviceTopic(fleet.prefix, '+', 'presence'), async () => {
    for (const device of (await fleet.devices()).filter(wanted)) {
      if (format === 'json' || format === 'yaml') await printObjects([node(device)], format, true);
      else {
        rows.push(deviceRow(device, wide));
        process.stdout.write(lastLine(table(deviceHeadings(wide), rows)));
      }
    }
  });
}

/** Calls `print` for every live message, one after the other, until Ctrl-C. */
async function watch(fleet: Fleet, filter: string, print: (message: Message) => Promise<void>): Promise<void> {
  let queue = Promise.resolve();
  const stop = fleet.listen((message) => {
    if (!message.retained && message.payload.length > 0) queue = queue.then(() => print(message));
  });
  await fleet.client.subscribeAsync(filter, { qos: 1, rh: 2 });
  await interrupted(fleet.client);
  stop();
  await queue;
}

function lastLine(text: string): string {
  return `${text.trimEnd().split('\n').at(-1)}\n`;
}
