/** `edgepod describe pod`: everything the device said about one pod, for a person. */
import type { Command } from 'commander';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { describePod } from '../output/describe-pod.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
}

export function registerDescribe(program: Command): void {
  withConnection(program.command('describe'))
    .description('show one pod in detail: `describe pod NAME`')
    .argument('<kind>', 'pod')
    .argument('<names...>', 'names of pods')
    .option('-d, --device <id>', 'only on this device')
    .option('-n, --namespace <name>', 'namespace', 'default')
    .action(
      action(async (kind: string, names: string[], { device, namespace, ...flags }: Flags) => {
        if (!['pod', 'pods', 'po'].includes(kind))
          throw new CommandError(`there is no kind "${kind}" to describe: use pod`);
        await withFleet(flags, async (fleet) => {
          for (const name of names) {
            const found = await fleet.pods({ namespace, name, ...(device !== undefined && { device }) });
            if (found.length === 0) throw new CommandError(`pods "${name}" not found${device ? ` on ${device}` : ''}`);
            process.stdout.write(found.map(describePod).join('\n\n'));
          }
        });
      }),
    );
}
