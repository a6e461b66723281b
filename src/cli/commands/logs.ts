/** `edgepod logs`: what a container wrote, asked of its device. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { call } from '../../client/rpc.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action } from '../failure.ts';
import { containerOf, findPod, podName } from '../pod-target.ts';
import { abortOnSignal } from '../signals.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';
import { wholeNumber } from '../whole-number.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
  container?: string;
  tail?: number;
  follow?: boolean;
  previous?: boolean;
  timestamps?: boolean;
}

/** One piece of the answer: lines in order, as the device read them. */
interface LogPiece {
  lines: { time: string; stream: string; text: string }[];
}

export function registerLogs(program: Command): void {
  withConnection(program.command('logs'))
    .description('print the logs of a container')
    .argument('<pod>', 'name of the pod')
    .option('-d, --device <id>', 'device that runs it (default: the only one that has it)', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('-c, --container <name>', 'container (default: the first)')
    .option('--tail <lines>', 'only the last lines', wholeNumber)
    .option('-f, --follow', 'keep printing what is written')
    .option('-p, --previous', 'of the container before its last restart')
    .option('--timestamps', 'begin every line with its time')
    .action(
      action(async (name: string, flags: Flags) => {
        await withFleet(flags, async (fleet) => {
          const { device, pod } = await findPod(fleet, podName(name), flags);
          await printLogs(fleet, device, pod, flags);
        });
      }),
    );
}

/** Prints what the call answers; with `follow`, until the container ends or a person interrupts. */
export async function printLogs(
  fleet: Fleet,
  device: string,
  pod: Pod,
  flags: Pick<Flags, 'container' | 'tail' | 'follow' | 'previous' | 'timestamps'>,
): Promise<{ interrupted: boolean }> {
  const container = containerOf(pod, flags.container);
  const { signal, release } = abortOnSignal();
  const params = {
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    container,
    ...(flags.tail !== undefined && { tail: flags.tail }),
    follow: flags.follow === true,
    previous: flags.previous === true,
  };
  for await (const piece of call(fleet, device, 'logs', params, signal)) {
    // Both streams on stdout, as kubectl does: these lines are what was asked for.
    for (const { time, text } of (piece as LogPiece).lines)
      process.stdout.write(flags.timestamps ? `${time} ${text}\n` : `${text}\n`);
  }
  release();
  return { interrupted: signal.aborted };
}
