/** `edgepod logs`: what a container wrote, asked of its device. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { call } from '../../client/rpc.ts';
import type { Pod } from '../../manifest/types.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';

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
    .option('-d, --device <id>', 'device that runs it (default: the only one that has it)')
    .option('-n, --namespace <name>', 'namespace', 'default')
    .option('-c, --container <name>', 'container (default: the first)')
    .option('--tail <lines>', 'only the last lines', Number)
    .option('-f, --follow', 'keep printing what is written')
    .option('-p, --previous', 'of the container before its last restart')
    .option('--timestamps', 'begin every line with its time')
    .action(
      action(async (name: string, flags: Flags) => {
        await withFleet(flags, async (fleet) => {
          const { device, pod } = await findPod(fleet, name, flags);
          await printLogs(fleet, device, pod, flags);
        });
      }),
    );
}

async function findPod(
  fleet: Fleet,
  name: string,
  { device, namespace }: Flags,
): Promise<{ device: string; pod: Pod }> {
  const found = await fleet.pods({ namespace, name, ...(device !== undefined && { device }) });
  const [only, ...others] = found;
  if (!only) throw new CommandError(`pods "${name}" not found${device ? ` on ${device}` : ''}`);
  if (others.length > 0)
    throw new CommandError(`pod "${name}" is on ${found.map((pod) => pod.device).join(', ')}: choose with -d`);
  return only;
}

async function printLogs(fleet: Fleet, device: string, pod: Pod, flags: Flags): Promise<void> {
  const containers = pod.spec.containers.map((container) => container.name);
  const container = flags.container ?? containers[0]!;
  if (!containers.includes(container))
    throw new CommandError(
      `container ${container} is not in pod ${pod.metadata.name}: it has ${containers.join(', ')}`,
    );
  if (flags.container === undefined && containers.length > 1)
    process.stderr.write(`Defaulted container "${container}" out of: ${containers.join(', ')}\n`);
  const abort = new AbortController();
  const onSignal = () => abort.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const params = {
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    container,
    ...(flags.tail !== undefined && { tail: flags.tail }),
    follow: flags.follow === true,
    previous: flags.previous === true,
  };
  for await (const piece of call(fleet, device, 'logs', params, abort.signal)) {
    // Both streams on stdout, as kubectl does: these lines are what was asked for.
    for (const { time, text } of (piece as LogPiece).lines)
      process.stdout.write(flags.timestamps ? `${time} ${text}\n` : `${text}\n`);
  }
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}
