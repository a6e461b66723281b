/** `edgepod get`: pods, devices, ConfigMaps, Secrets, events. */
import type { Command } from 'commander';
import { withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { getDataObjects } from '../get/data-objects.ts';
import { getDevices } from '../get/devices.ts';
import { getEvents } from '../get/events.ts';
import type { GetFlags } from '../get/flags.ts';
import { getLocalPods, getPods } from '../get/pods.ts';
import { kindOf } from '../kinds.ts';
import { withLocal, withLocalPods } from '../local.ts';
import { outputFormat } from '../output/print.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';

export function registerGet(program: Command): void {
  withLocal(withConnection(program.command('get')))
    .description(
      'list pods or devices as they were last reported, ConfigMaps or Secrets as they are desired, or recent events',
    )
    .argument('<kind>', 'pods, devices, configmaps, secrets or events')
    .argument('[names...]', 'only these')
    .option('-d, --device <id>', 'only this device (default: all)', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('-A, --all-namespaces', 'of every namespace')
    .option('-o, --output <format>', 'wide, json or yaml')
    .option('-w, --watch', 'keep listing changes')
    .option('--for <kind/name>', 'events about this object only')
    .action(
      action(async (word: string, names: string[], flags: GetFlags) => {
        const kind = kindOf(word);
        if (kind === undefined)
          throw new CommandError(`there is no kind "${word}": use pods, devices, configmaps, secrets or events`);
        const query = { names, flags, format: outputFormat(flags.output) };
        if (flags.local) {
          if (kind !== 'pods') throw new CommandError(`--local shows pods only: ${kind} are asked of the broker`);
          if (flags.watch) throw new CommandError('--local cannot watch: that needs the broker');
          return await withLocalPods(flags, (local) => getLocalPods(local, query));
        }
        await withFleet(flags, (fleet) => {
          if (kind === 'pods') return getPods(fleet, query);
          if (kind === 'devices') return getDevices(fleet, query);
          if (kind === 'events') return getEvents(fleet, query);
          return getDataObjects(fleet, kind, query);
        });
      }),
    );
}
