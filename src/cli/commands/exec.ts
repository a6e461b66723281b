/** `edgepod exec`: a command in a running container of a device that allows it. */
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { call } from '../../client/rpc.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { containerOf, findPod, podName } from '../pod-target.ts';
import { seconds } from '../seconds.ts';
import { abortOnSignal } from '../signals.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
  container?: string;
  stdin?: boolean;
  tty?: boolean;
  timeout?: number;
}

type Piece = { started: true } | { stream: 'stdout' | 'stderr'; data: string } | { exitCode: number };

/** It travels in the request, of which a device takes 64 KiB. */
const MAX_STDIN_BYTES = 40 * 1024;

export function registerExec(program: Command): void {
  withConnection(program.command('exec'))
    .description('run a command in a container: `edgepod exec POD -- COMMAND ARGS…`; its exit code is this one’s')
    .argument('<pod>', 'name of the pod')
    .argument('<command...>', 'program and arguments, after --')
    .option('-d, --device <id>', 'device that runs it (default: the only one that has it)', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('-c, --container <name>', 'container (default: the first)')
    .option('-i, --stdin', 'pass standard input to it, all of it at once, at most 40 KiB')
    .option('-t, --tty', 'refused: there are no terminals over MQTT')
    .option('--timeout <duration>', 'kill it after this long, like 90s or 5m (at most 1h)', seconds)
    .action(
      action(async (name: string, command: string[], flags: Flags) => {
        if (flags.tty)
          throw new CommandError('there are no terminals over MQTT: leave -t out, or use -i with input from a pipe');
        const stdin = flags.stdin ? await readStdin() : undefined;
        await withFleet(flags, async (fleet) => {
          const { device, pod } = await findPod(fleet, podName(name), flags);
          await run(fleet, { device, pod, command, stdin }, flags);
        });
      }),
    );
}

interface Target {
  device: string;
  pod: Pod;
  command: string[];
  stdin: Buffer | undefined;
}

async function run(fleet: Fleet, { device, pod, command, stdin }: Target, flags: Flags): Promise<void> {
  const params = {
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    container: containerOf(pod, flags.container),
    command,
    ...(stdin !== undefined && { stdin: stdin.toString('base64') }),
    ...(flags.timeout !== undefined && { timeoutSeconds: flags.timeout }),
  };
  const { signal, release } = abortOnSignal();
  let exitCode: number | undefined;
  try {
    for await (const piece of call(fleet, device, 'exec', params, signal) as AsyncGenerator<Piece>) {
      if ('exitCode' in piece) exitCode = piece.exitCode;
      else if ('data' in piece) await write(process[piece.stream], Buffer.from(piece.data, 'base64'));
    }
  } finally {
    release();
  }
  if (exitCode === undefined) throw new CommandError('interrupted: the command was killed');
  if (exitCode !== 0) process.stderr.write(`command terminated with exit code ${exitCode}\n`);
  process.exitCode = exitCode;
}

/** Resolves when the stream can take more. */
function write(stream: NodeJS.WriteStream, data: Buffer): Promise<void> {
  return new Promise((resolve) => stream.write(data, () => resolve()));
}

async function readStdin(): Promise<Buffer> {
  if (process.stdin.isTTY) throw new CommandError('-i reads standard input to its end first: give it a pipe or a file');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MAX_STDIN_BYTES)
      throw new CommandError(
        `standard input is larger than ${MAX_STDIN_BYTES >> 10} KiB: put it into a ConfigMap or an image`,
      );
  }
  return Buffer.concat(chunks);
}
