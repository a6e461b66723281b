/** `edgepod delete`: a tombstone for each pod, so that a board that is off still learns of it. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { readManifests } from '../manifests.ts';
import { seconds } from '../seconds.ts';

interface Flags extends ConnectionFlags {
  device: string;
  namespace: string;
  filename?: string;
  wait?: boolean;
  timeout: number;
  gracePeriod?: number;
}

export function registerDelete(program: Command): void {
  withConnection(program.command('delete'))
    .description('take pods out of a device’s desired state: `delete pod NAME` or `delete -f FILE`')
    .argument('[kind]', 'pod')
    .argument('[names...]', 'names of pods')
    .requiredOption('-d, --device <id>', 'device that runs them')
    .option('-n, --namespace <name>', 'namespace', 'default')
    .option('-f, --filename <file>', 'delete what this manifest names; - for standard input')
    .option('--grace-period <seconds>', 'seconds the pods get to end', Number)
    .option('--wait', 'wait until the pods are gone')
    .option('--timeout <duration>', 'longest wait', seconds, 120)
    .action(
      action(async (kind: string | undefined, names: string[], flags: Flags) => {
        const targets = deleteTargets(kind, names, flags);
        await withFleet(flags, async (fleet) => {
          for (const target of targets) await deleteOne(fleet, flags, target);
          if (flags.wait) for (const target of targets) await waitGone(fleet, flags, target);
        });
      }),
    );
}

interface Target {
  namespace: string;
  name: string;
}

function deleteTargets(kind: string | undefined, names: string[], flags: Flags): Target[] {
  if (flags.filename !== undefined) {
    if (kind !== undefined) throw new CommandError('give either `pod NAME` or -f FILE, not both');
    return readManifests(flags.filename).map(({ pod }) => ({
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
    }));
  }
  if (!kind || !['pod', 'pods', 'po'].includes(kind))
    throw new CommandError('say what to delete: `edgepod delete pod NAME -d DEVICE`');
  if (names.length === 0) throw new CommandError('name at least one pod');
  return names.map((name) => ({ namespace: flags.namespace, name }));
}

async function deleteOne(fleet: Fleet, { device, gracePeriod }: Flags, { namespace, name }: Target): Promise<void> {
  const desired = (await fleet.desired(device, 'pods', namespace, name)) as
    | { metadata?: object; spec?: object }
    | undefined;
  const [reported] = await fleet.pods({ device, namespace, name });
  if (!desired && !reported) throw new CommandError(`pod "${name}" not found on ${device} in namespace ${namespace}`);
  const before = (desired?.metadata ?? {}) as { generation?: number };
  const generation = Math.max(before.generation ?? 0, reported?.pod.status?.observedGeneration ?? 0) + 1;
  await fleet.publishDesired(device, 'pods', namespace, name, {
    ...(desired ?? { apiVersion: 'v1', kind: 'Pod', spec: reported?.pod.spec }),
    metadata: {
      ...before,
      name,
      namespace,
      generation,
      deletionTimestamp: new Date().toISOString(),
      ...(gracePeriod !== undefined && { deletionGracePeriodSeconds: gracePeriod }),
    },
  });
  process.stdout.write(`pod "${name}" deleted\n`);
}

async function waitGone(fleet: Fleet, { device, timeout }: Flags, { namespace, name }: Target): Promise<void> {
  const topic = podStatusTopic(fleet.prefix, device, namespace, name);
  const deadline = performance.now() + timeout * 1000;
  while ((await fleet.pods({ device, namespace, name })).length > 0) {
    const left = deadline - performance.now();
    if (left <= 0) throw new CommandError(`timed out waiting for pod "${name}" to go from ${device}`);
    // Looked at again every second: the clearing message may have come between the look and this wait.
    await fleet.until(topic, Math.min(left, 1000), ({ payload }) => payload.length === 0 || undefined);
  }
}
