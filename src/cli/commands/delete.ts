/** `edgepod delete`: a tombstone for each pod, so that a board that is off still learns of it. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { type DesiredKind, podStatusTopic } from '../../client/topics.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { kindOf } from '../kinds.ts';
import { inOrder, readManifests, SINGULAR } from '../manifests.ts';
import { seconds } from '../seconds.ts';
import { deviceName, namespaceName, objectName } from '../topic-levels.ts';
import { wholeNumber } from '../whole-number.ts';

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
    .description(
      'take pods, ConfigMaps and Secrets out of a device’s desired state: `delete pod NAME` or `delete -f FILE`',
    )
    .argument('[kind]', 'pod, configmap or secret')
    .argument('[names...]', 'names of objects')
    .requiredOption('-d, --device <id>', 'device that runs them', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('-f, --filename <file>', 'delete what this manifest names; - for standard input')
    .option('--grace-period <seconds>', 'seconds the pods get to end', wholeNumber)
    .option('--wait', 'wait until the pods are gone')
    .option('--timeout <duration>', 'longest wait', seconds, 120)
    .action(
      action(async (kind: string | undefined, names: string[], flags: Flags) => {
        const targets = deleteTargets(kind, names, flags);
        await withFleet(flags, async (fleet) => {
          for (const target of targets) await deleteOne(fleet, flags, target);
          if (flags.wait)
            for (const target of targets.filter(({ kind }) => kind === 'pods')) await waitGone(fleet, flags, target);
        });
      }),
    );
}

interface Target {
  kind: DesiredKind;
  namespace: string;
  name: string;
}

function deleteTargets(kind: string | undefined, names: string[], flags: Flags): Target[] {
  if (flags.filename !== undefined) {
    if (kind !== undefined) throw new CommandError('give either `pod NAME` or -f FILE, not both');
    // Pods first: what they use goes after them.
    return inOrder(readManifests(flags.filename))
      .reverse()
      .map(({ kind, metadata: { namespace, name } }) => ({ kind, namespace, name }));
  }
  const desired = kindOf(kind ?? '');
  if (desired === undefined || desired === 'devices' || desired === 'events')
    throw new CommandError('say what to delete: `edgepod delete pod NAME -d DEVICE`');
  if (names.length === 0) throw new CommandError(`name at least one ${SINGULAR[desired]}`);
  return names.map((name) => ({ kind: desired, namespace: flags.namespace, name: objectName(name) }));
}

async function deleteOne(fleet: Fleet, flags: Flags, target: Target): Promise<void> {
  const { kind, namespace, name } = target;
  const { device } = flags;
  const desired = (await fleet.desired(device, kind, namespace, name)) as
    | { metadata?: { generation?: number } }
    | undefined;
  const [reported] = kind === 'pods' ? await fleet.pods({ device, namespace, name }) : [];
  if (!desired && !reported)
    throw new CommandError(`${SINGULAR[kind]} "${name}" not found on ${device} in namespace ${namespace}`);
  const before = desired?.metadata ?? {};
  const generation = Math.max(before.generation ?? 0, reported?.pod.status?.observedGeneration ?? 0) + 1;
  const body = kind === 'pods' ? (desired ?? podStub(reported?.pod.spec)) : dataStub(kind);
  await fleet.publishDesired(device, kind, namespace, name, {
    ...body,
    metadata: {
      ...before,
      name,
      namespace,
      generation,
      deletionTimestamp: new Date().toISOString(),
      ...(flags.gracePeriod !== undefined && { deletionGracePeriodSeconds: flags.gracePeriod }),
    },
  });
  process.stdout.write(`${SINGULAR[kind]} "${name}" deleted\n`);
}

const podStub = (spec: unknown) => ({ apiVersion: 'v1', kind: 'Pod', spec });

/** What is to go is not retained once more: it may be a secret. */
const dataStub = (kind: DesiredKind) => ({ apiVersion: 'v1', kind: kind === 'secrets' ? 'Secret' : 'ConfigMap' });

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
