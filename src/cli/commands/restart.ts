/** `edgepod restart pod`: ends pods gracefully and begins them anew from what is desired. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { call } from '../../client/rpc.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { applyVerdict } from '../../client/wait.ts';
import { timedOut } from '../absence.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { findPod, podName } from '../pod-target.ts';
import { seconds } from '../seconds.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';
import { wholeNumber } from '../whole-number.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
  gracePeriod?: number;
  wait?: boolean;
  timeout: number;
}

export function registerRestart(program: Command): void {
  withConnection(program.command('restart'))
    .description('end pods gracefully and begin them anew: `edgepod restart pod NAME…`')
    .argument('<kind>', 'pod')
    .argument('[names...]', 'names of pods')
    .option('-d, --device <id>', 'device that runs them (default: the only one that has them)', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('--grace-period <seconds>', 'seconds the pods get to end', wholeNumber)
    .option('--wait', 'wait until they are ready again, or have failed')
    .option('--timeout <duration>', 'longest wait', seconds, 300)
    .action(
      action(async (kind: string, names: string[], flags: Flags) => {
        if (!['pod', 'pods', 'po'].includes(kind))
          throw new CommandError(`only pods can be restarted: edgepod restart pod ${[kind, ...names].join(' ')}`);
        if (names.length === 0) throw new CommandError('name at least one pod: edgepod restart pod NAME');
        await withFleet(flags, async (fleet) => {
          for (const name of names) await restart(fleet, podName(name), flags);
        });
      }),
    );
}

async function restart(fleet: Fleet, name: string, flags: Flags): Promise<void> {
  const { namespace, gracePeriod } = flags;
  const { device } = await findPod(fleet, name, flags);
  const params = { namespace, name, ...(gracePeriod !== undefined && { gracePeriodSeconds: gracePeriod }) };
  let uid: string | undefined;
  for await (const answer of call(fleet, device, 'restart', params)) uid = (answer as { uid: string }).uid;
  process.stdout.write(`pod/${name} restarted\n`);
  if (!flags.wait) return;
  const verdict = await fleet.until(
    podStatusTopic(fleet.prefix, device, namespace, name),
    flags.timeout * 1000,
    (message) => {
      const pod = fleet.podOf(message)?.pod;
      if (!pod || pod.metadata.uid === uid) return undefined;
      const found = applyVerdict(pod, 0);
      return found.done ? found : undefined;
    },
  );
  if (!verdict) throw new CommandError(await timedOut(fleet, device, { namespace, name, generation: 0 }));
  if (!verdict.ok) throw new CommandError(verdict.message);
  process.stdout.write(`${verdict.message}\n`);
}
