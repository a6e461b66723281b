/** `edgepod describe`: one object in detail, for a person; a pod with what happened to it lately. */
import type { Command } from 'commander';
import type { LocalPods } from '../../agent/local/pods.ts';
import { desiredObjects } from '../../client/desired-objects.ts';
import { type DeviceEvent, recentEvents } from '../../client/events.ts';
import type { DevicePod, Fleet } from '../../client/fleet.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { kindOf } from '../kinds.ts';
import { type LocalFlags, withLocal, withLocalPods } from '../local.ts';
import { describeConfigMap, describeSecret } from '../output/describe-data.ts';
import { describePod } from '../output/describe-pod.ts';
import { describeEvents } from '../output/event-rows.ts';
import { podName } from '../pod-target.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';

interface Flags extends ConnectionFlags, LocalFlags {
  device?: string;
  namespace: string;
}

export function registerDescribe(program: Command): void {
  withLocal(withConnection(program.command('describe')))
    .description('show pods, ConfigMaps or Secrets in detail: `describe pod NAME`')
    .argument('<kind>', 'pod, configmap or secret')
    .argument('<names...>', 'names of objects')
    .option('-d, --device <id>', 'only on this device', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .action(
      action(async (word: string, names: string[], flags: Flags) => {
        const kind = kindOf(word);
        if (kind === 'devices') throw new CommandError(`of a device: edgepod get devices ${names[0]} -o yaml`);
        if (kind === undefined || kind === 'events')
          throw new CommandError(`there is no kind "${word}" to describe: use pod, configmap or secret`);
        if (flags.local) {
          if (kind !== 'pods') throw new CommandError(`--local shows pods only: ${kind} are asked of the broker`);
          return await withLocalPods(flags, async (local) => describeLocalPods(local, names.map(podName), flags));
        }
        await withFleet(flags, async (fleet) => {
          const texts: string[] = [];
          for (const name of names)
            texts.push(
              ...(kind === 'pods'
                ? await describePods(fleet, podName(name), flags)
                : await describeData(fleet, kind, name, flags)),
            );
          process.stdout.write(texts.join('\n\n'));
        });
      }),
    );
}

async function describePods(fleet: Fleet, name: string, { device, namespace }: Flags): Promise<string[]> {
  const found = await fleet.pods({ namespace, name, ...(device !== undefined && { device }) });
  if (found.length === 0) throw new CommandError(`pods "${name}" not found${device ? ` on ${device}` : ''}`);
  return Promise.all(found.map(async (pod) => describePod(pod) + describeEvents(await eventsOf(fleet, pod))));
}

function describeLocalPods(local: LocalPods, names: string[], { namespace }: Flags): void {
  const pods = local.pods(namespace);
  const texts = names.map((name) => {
    const found = pods.find(({ pod }) => pod.metadata.name === name);
    if (!found) throw new CommandError(`pods "${name}" not found on this board`);
    return describePod(found) + describeEvents('they are asked of the agent through the broker');
  });
  process.stdout.write(texts.join('\n\n'));
}

/** The pod's events, or why the device does not tell. Those of an earlier pod of this name are not its own. */
async function eventsOf(fleet: Fleet, { device, pod }: DevicePod): Promise<DeviceEvent[] | string> {
  const { namespace, name, uid } = pod.metadata;
  try {
    const found = await recentEvents(fleet, device, { kind: 'Pod', namespace, name });
    return found.filter(({ involvedObject: about }) => about.uid === undefined || about.uid === uid);
  } catch (error) {
    return (error as Error).message;
  }
}

async function describeData(
  fleet: Fleet,
  kind: 'configmaps' | 'secrets',
  name: string,
  { device, namespace }: Flags,
): Promise<string[]> {
  const found = await desiredObjects(fleet, kind, { device, namespace });
  const named = found.filter(({ object }) => object.metadata.name === name);
  if (named.length === 0) throw new CommandError(`${kind} "${name}" not found${device ? ` on ${device}` : ''}`);
  return named.map(kind === 'secrets' ? describeSecret : describeConfigMap);
}
