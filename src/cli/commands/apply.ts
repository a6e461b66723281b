/** `edgepod apply`: publish manifests as a device's desired state. */
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { applyVerdict, type Verdict } from '../../client/wait.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { type Manifest, readManifests } from '../manifests.ts';
import { seconds } from '../seconds.ts';

interface Flags extends ConnectionFlags {
  filename: string;
  device: string;
  wait?: boolean;
  timeout: number;
}

export function registerApply(program: Command): void {
  withConnection(program.command('apply'))
    .description('make pods the desired state of a device')
    .requiredOption('-f, --filename <file>', 'manifest (JSON or YAML, Pod or List); - for standard input')
    .requiredOption('-d, --device <id>', 'device to run them')
    .option('--wait', 'wait until the pods are ready, or have failed')
    .option('--timeout <duration>', 'longest wait, like 90s or 5m', seconds, 300)
    .action(
      action(async (flags: Flags) => {
        const manifests = readManifests(flags.filename);
        for (const { pod, warnings } of manifests)
          for (const { path, reason } of warnings)
            process.stderr.write(`Warning: pod/${pod.metadata.name}: ${path}: ${reason}\n`);
        await withFleet(flags, async (fleet) => {
          const applied: { manifest: Manifest; generation: number }[] = [];
          for (const manifest of manifests)
            applied.push({ manifest, generation: await applyOne(fleet, flags.device, manifest) });
          if (flags.wait)
            for (const { manifest, generation } of applied) await waitFor(fleet, flags, manifest, generation);
        });
      }),
    );
}

/** Publishes one manifest unless it is desired already; returns the generation to wait for. */
async function applyOne(fleet: Fleet, device: string, { raw, pod }: Manifest): Promise<number> {
  const { namespace, name } = pod.metadata;
  const current = (await fleet.desired(device, 'pods', namespace, name)) as Record<string, unknown> | undefined;
  const before = metadataOf(current);
  const deleting = before.deletionTimestamp !== undefined;
  if (current && !deleting && sameWish(current, raw)) {
    process.stdout.write(`pod/${name} unchanged\n`);
    return Number(before.generation ?? 0);
  }
  const [reported] = await fleet.pods({ device, namespace, name });
  const last = Math.max(Number(before.generation ?? 0), reported?.pod.status?.observedGeneration ?? 0);
  const generation = pod.metadata.generation ?? last + 1;
  const object = { ...raw, metadata: { ...metadataOf(raw), generation } };
  await fleet.publishDesired(device, 'pods', namespace, name, object);
  process.stdout.write(`pod/${name} ${current && !deleting ? 'configured' : 'created'}\n`);
  return generation;
}

/** Equal but for the generation, which this command counts itself. */
function sameWish(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const bare = (object: Record<string, unknown>) => {
    const { generation, ...metadata } = metadataOf(object);
    return { ...object, metadata };
  };
  return isDeepStrictEqual(bare(a), bare(b));
}

function metadataOf(object: Record<string, unknown> | undefined): Record<string, unknown> {
  return (object?.metadata ?? {}) as Record<string, unknown>;
}

/** How long a pod must stay ready to count: a program that fails at once was running for a moment too. */
const SETTLE_MS = 1000;

async function waitFor(fleet: Fleet, { device, timeout }: Flags, { pod }: Manifest, generation: number): Promise<void> {
  const { namespace, name } = pod.metadata;
  const topic = podStatusTopic(fleet.prefix, device, namespace, name);
  const deadline = performance.now() + timeout * 1000;
  /** The first verdict about the pod that `accept` takes. */
  const next = (ms: number, accept: (verdict: Verdict) => boolean) =>
    fleet.until(topic, ms, (message) => {
      const found = fleet.podOf(message);
      const verdict = found && applyVerdict(found.pod, generation);
      return verdict && accept(verdict) ? verdict : undefined;
    });
  for (;;) {
    const verdict = await next(Math.max(0, deadline - performance.now()), ({ done }) => done);
    if (!verdict?.done)
      throw new CommandError(
        `timed out waiting for pod/${name} on ${device}; see: edgepod describe pod ${name} -d ${device}`,
      );
    const changed = verdict.settled ? undefined : await next(SETTLE_MS, (later) => !later.done || later.settled);
    if (changed) continue;
    if (!verdict.ok) throw new CommandError(verdict.message);
    process.stdout.write(`${verdict.message}\n`);
    return;
  }
}
