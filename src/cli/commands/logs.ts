/** `edgepod logs`: what a container wrote, asked of its device. */
import type { Command } from 'commander';
import type { LocalPods } from '../../agent/local/pods.ts';
import type { Fleet } from '../../client/fleet.ts';
import { call } from '../../client/rpc.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { type LocalFlags, withLocal, withLocalPods } from '../local.ts';
import { containerOf, findPod, podName } from '../pod-target.ts';
import { abortOnSignal } from '../signals.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';
import { wholeNumber } from '../whole-number.ts';

interface Flags extends ConnectionFlags, LocalFlags {
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
  lines: Line[];
}

interface Line {
  time: string;
  text: string;
  /** The next one goes on with it: long lines come in parts. */
  partial: boolean;
}

export function registerLogs(program: Command): void {
  withLocal(withConnection(program.command('logs')))
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
        if (flags.local) return await withLocalPods(flags, (local) => printLocalLogs(local, podName(name), flags));
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
  const print = linePrinter(flags);
  for await (const piece of call(fleet, device, 'logs', params, signal)) {
    for (const line of (piece as LogPiece).lines) print(line);
  }
  release();
  return { interrupted: signal.aborted };
}

/** The same from the files of this board. */
async function printLocalLogs(local: LocalPods, name: string, flags: Flags): Promise<void> {
  const pod = local.pods(flags.namespace).find((candidate) => candidate.pod.metadata.name === name)?.pod;
  if (!pod) throw new CommandError(`pods "${name}" not found on this board`);
  const container = containerOf(pod, flags.container);
  const previous = flags.previous === true;
  const { signal, release } = abortOnSignal();
  const follow = flags.follow === true && !previous;
  const tail = flags.tail === undefined ? {} : { tail: flags.tail };
  const lines = await local.log(pod, container, { follow, previous, signal, ...tail });
  if (!lines) throw new CommandError(`${name}/${container} has not been ${previous ? 're' : ''}started yet`);
  if (follow && !local.agentRuns())
    process.stderr.write('Warning: without an agent nobody tells when the container ends: Ctrl-C ends this\n');
  const print = linePrinter(flags);
  for await (const line of lines) print(line);
  release();
}

/** Both streams on stdout, as kubectl does: these lines are what was asked for. Parts of a line are put together. */
function linePrinter({ timestamps }: Pick<Flags, 'timestamps'>): (line: Line) => void {
  let begins = true;
  return ({ time, text, partial }) => {
    process.stdout.write(`${timestamps && begins ? `${time} ` : ''}${text}${partial ? '' : '\n'}`);
    begins = !partial;
  };
}
