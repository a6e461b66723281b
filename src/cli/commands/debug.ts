/** `edgepod debug`: adds a container to a pod that runs, to look into it with the tools of another image. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { desiredObjects } from '../../client/desired-objects.ts';
import type { Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { admitPod } from '../../manifest/admit.ts';
import type { FieldError } from '../../manifest/types/field-error.ts';
import type { Pod } from '../../manifest/types/pod.ts';
import type { ContainerStatus } from '../../manifest/types/status.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { findPod, podName } from '../pod-target.ts';
import { seconds } from '../seconds.ts';
import { deviceName, namespaceName } from '../topic-levels.ts';
import { printLogs } from './logs.ts';

interface Flags extends ConnectionFlags {
  device?: string;
  namespace: string;
  image: string;
  imagePullPolicy?: string;
  container?: string;
  target?: string;
  env?: string[];
  attach: boolean;
  timeout: number;
}

/** What makes the wait for a start hopeless; the message says what to do. */
const OBSTACLES = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerError',
  'CreateContainerConfigError',
];

export function registerDebug(program: Command): void {
  withConnection(program.command('debug'))
    .description(
      'add a container to a running pod and print what it writes: `edgepod debug POD --image IMAGE -- COMMAND…`',
    )
    .argument('<pod>', 'name of the pod')
    .argument('[command...]', 'program and arguments, after --; the image’s when absent')
    .requiredOption('--image <image>', 'image of the container, which the device must have')
    .option('-d, --device <id>', 'device that runs the pod (default: the only one that has it)', deviceName)
    .option('-n, --namespace <name>', 'namespace', namespaceName, 'default')
    .option('-c, --container <name>', 'name of the new container (default: debugger-…)')
    .option('--target <container>', 'see, and share a PID namespace with, the processes of this container')
    .option('--env <NAME=VALUE...>', 'variables of its environment')
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never')
    .option('--no-attach', 'return when it runs, without its output')
    .option('--timeout <duration>', 'longest wait for it to start', seconds, 60)
    .action(
      action(async (name: string, command: string[], flags: Flags) => {
        await withFleet(flags, async (fleet) => {
          const { device, pod } = await findPod(fleet, podName(name), flags);
          await debug(fleet, { device, pod, command }, flags);
        });
      }),
    );
}

interface Target {
  device: string;
  pod: Pod;
  command: string[];
}

async function debug(fleet: Fleet, { device, pod, command }: Target, flags: Flags): Promise<void> {
  if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending')
    throw new CommandError(`pod/${pod.metadata.name} on ${device} has ended: nothing can be added to it`);
  const container = flags.container ?? `debugger-${randomSuffix()}`;
  if (flags.container === undefined) process.stderr.write(`Defaulting debug container name to ${container}.\n`);
  await publish(fleet, { device, pod, command }, ephemeralContainer(container, command, flags));
  const started = await waitForStart(fleet, { device, pod, container }, flags.timeout);
  if (!flags.attach) {
    process.stdout.write(`container ${container} was added to pod/${pod.metadata.name}\n`);
    return;
  }
  const attached = await printLogs(fleet, device, started, { ...flags, container, follow: true });
  if (attached.interrupted) return;
  const ended = await waitFor(fleet, { device, pod, container }, flags.timeout, ({ state }) => state.terminated);
  if (ended === undefined || ended.exitCode === 0) return;
  process.stderr.write(`container ${container} ended with exit code ${ended.exitCode} (${ended.reason})\n`);
  process.exitCode = ended.exitCode;
}

function ephemeralContainer(name: string, command: string[], flags: Flags): Record<string, unknown> {
  const { image, imagePullPolicy, target, env } = flags;
  return {
    name,
    image,
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    ...(command.length > 0 && { command }),
    ...(target !== undefined && { targetContainerName: target }),
    ...(env && { env: env.map(variable) }),
  };
}

function variable(text: string): { name: string; value: string } {
  const cut = text.indexOf('=');
  if (cut < 1) throw new CommandError(`--env ${text}: must be NAME=VALUE`);
  return { name: text.slice(0, cut), value: text.slice(cut + 1) };
}

/** Publishes the manifest desired now with one container more. */
async function publish(fleet: Fleet, { device, pod }: Target, container: Record<string, unknown>): Promise<void> {
  const { namespace, name } = pod.metadata;
  const raw = await desiredManifest(fleet, device, pod);
  const spec = (raw.spec ?? {}) as { ephemeralContainers?: unknown };
  const before = Array.isArray(spec.ephemeralContainers) ? spec.ephemeralContainers : [];
  const metadata = raw.metadata as { generation?: number };
  const generation = Math.max(metadata.generation ?? 0, pod.status?.observedGeneration ?? 0) + 1;
  const added = {
    ...raw,
    metadata: { ...metadata, generation },
    spec: { ...spec, ephemeralContainers: [...before, container] },
  };
  const running = (pod.spec.ephemeralContainers ?? []).some((known) => known.name === container.name);
  const checked = admitPod(added);
  if (running)
    throw new CommandError(`container ${container.name} is in pod ${name} already: choose another name with -c`);
  if ('errors' in checked) throw new CommandError(refusal(name, checked.errors));
  await fleet.publishDesired(device, 'pods', namespace, name, added);
}

async function desiredManifest(fleet: Fleet, device: string, { metadata }: Pod): Promise<Record<string, unknown>> {
  const { namespace, name } = metadata;
  const found = await desiredObjects(fleet, 'pods', { device, namespace });
  const desired = found.find(({ object }) => object.metadata.name === name);
  if (desired === undefined)
    throw new CommandError(`nothing desires pod/${name} on ${device} any more: nothing can be added to it`);
  if (desired.source.startsWith('group/'))
    throw new CommandError(
      `pod/${name} is desired of the whole ${desired.source.replace('/', ' ')}: apply it to ${device} itself (-d) to debug it there`,
    );
  return desired.object as unknown as Record<string, unknown>;
}

function refusal(name: string, errors: FieldError[]): string {
  return `pod/${name} was refused:${errors.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('')}`;
}

interface Awaited {
  device: string;
  pod: Pod;
  container: string;
}

/** The pod as reported when the container has started. */
async function waitForStart(fleet: Fleet, target: Awaited, timeout: number): Promise<Pod> {
  const { container, device } = target;
  const started = await waitFor(fleet, target, timeout, (status, pod) => {
    const { waiting } = status.state;
    if (waiting === undefined) return pod;
    if (OBSTACLES.includes(waiting.reason))
      throw new CommandError(`container ${container} cannot start: ${waiting.reason}: ${waiting.message ?? ''}`);
    return undefined;
  });
  if (started === undefined)
    throw new CommandError(
      `timed out waiting for container ${container}; see: edgepod describe pod ${target.pod.metadata.name} -d ${device}`,
    );
  return started;
}

/** The first answer of `decide` to the container's reported status; undefined after `timeout` seconds. */
async function waitFor<T>(
  fleet: Fleet,
  { device, pod, container }: Awaited,
  timeout: number,
  decide: (status: ContainerStatus, pod: Pod) => T | undefined,
): Promise<T | undefined> {
  const { namespace, name, uid } = pod.metadata;
  let failure: unknown;
  const answer = await fleet.until(podStatusTopic(fleet.prefix, device, namespace, name), timeout * 1000, (message) => {
    try {
      const reported = fleet.podOf(message)?.pod;
      if (reported === undefined) return undefined;
      if (reported.metadata.uid !== uid) throw new CommandError(`pod/${name} was replaced by another`);
      const status = reported.status?.ephemeralContainerStatuses?.find((candidate) => candidate.name === container);
      const value = status && decide(status, reported);
      return value === undefined ? undefined : { value };
    } catch (error) {
      failure = error;
      return { value: undefined };
    }
  });
  if (failure !== undefined) throw failure;
  return answer?.value;
}

/** Five characters, as Kubernetes appends them. */
function randomSuffix(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}
