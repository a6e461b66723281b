/** `edgepod top`: what pods and devices use at this moment, asked of the devices. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { nodeUsage, podUsages, type Sample, sampleTwice } from '../../client/usage.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { complainOfMissing, sayNothingFound } from '../get/flags.ts';
import { kindOf } from '../kinds.ts';
import { table } from '../output/table.ts';
import { nodeUsageRow, type UsageColumns, usageHeadings, usageRows } from '../output/usage-rows.ts';
import { podName } from '../pod-target.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
  allNamespaces?: boolean;
  containers?: boolean;
}

export function registerTop(program: Command): void {
  withConnection(program.command('top'))
    .description('show the processor time and memory that pods or devices use now')
    .argument('<kind>', 'pods or devices')
    .argument('[names...]', 'only these')
    .option('-d, --device <id>', 'only this device (default: all)', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('-A, --all-namespaces', 'pods of every namespace')
    .option('--containers', 'each container by itself')
    .action(
      action(async (word: string, names: string[], flags: Flags) => {
        const kind = kindOf(word);
        if (kind !== 'pods' && kind !== 'devices') throw new CommandError(`top knows pods and devices, not "${word}"`);
        await withFleet(flags, (fleet) =>
          kind === 'pods' ? topPods(fleet, names.map(podName), flags) : topDevices(fleet, names, flags),
        );
      }),
    );
}

async function topPods(fleet: Fleet, names: string[], flags: Flags): Promise<void> {
  const columns: UsageColumns = {
    devices: flags.device === undefined,
    namespaces: flags.allNamespaces === true,
    containers: flags.containers === true,
  };
  const devices = flags.device === undefined ? undefined : [flags.device];
  const found = (await samples(fleet, devices)).flatMap(({ device, pair }) =>
    podUsages(pair)
      .filter(({ namespace }) => flags.allNamespaces || namespace === flags.namespace)
      .filter(({ name }) => names.length === 0 || names.includes(name))
      .map((pod) => ({ device, ...pod })),
  );
  complainOfMissing(
    'pods',
    names,
    found.map(({ name }) => name),
    flags.device,
  );
  const rows = found.flatMap((pod) => usageRows(pod, columns));
  if (rows.length > 0) process.stdout.write(table(usageHeadings(columns), rows));
  else if (names.length === 0) sayNothingFound(flags);
}

async function topDevices(fleet: Fleet, names: string[], { device }: Flags): Promise<void> {
  const only = device === undefined ? names : [...names, device];
  const found = await samples(fleet, only.length === 0 ? undefined : only);
  const headings = ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'];
  if (found.length > 0)
    process.stdout.write(
      table(
        headings,
        found.map(({ device, pair }) => nodeUsageRow(device, nodeUsage(pair))),
      ),
    );
}

/** Of the devices named, which must answer, or of all that are there; who does not is named on standard error. */
async function samples(
  fleet: Fleet,
  named: string[] | undefined,
): Promise<{ device: string; pair: [Sample, Sample] }[]> {
  const online = async () =>
    (await fleet.devices()).filter(({ presence }) => presence?.state === 'online').map(({ name }) => name);
  const all = (named ?? (await online())).map(async (device) => {
    try {
      return [{ device, pair: await sampleTwice(fleet, device) }];
    } catch (error) {
      if (named !== undefined) throw error;
      process.stderr.write(`Warning: ${device}: ${(error as Error).message}\n`);
      return [];
    }
  });
  return (await Promise.all(all)).flat();
}
