/** `edgepod apply`: publish manifests as a device's desired state. */
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import type { Fleet } from '../../client/fleet.ts';
import { podStatusTopic } from '../../client/topics.ts';
import { applyVerdict, type Verdict } from '../../client/wait.ts';
import { timedOut, warnOfStranger } from '../absence.ts';
import { type ConnectionFlags, withConnection, withFleet } from '../connection.ts';
import { action, CommandError } from '../failure.ts';
import { inOrder, type Manifest, readManifests } from '../manifests.ts';
import { seconds } from '../seconds.ts';
import { deviceName } from '../topic-levels.ts';

interface Flags extends ConnectionFlags {
  filename: string;
  device: string;
  wait?: boolean;
  timeout: number;
}

export function registerApply(program: Command): void {
  withConnection(program.command('apply'))
    .description('make pods, and the ConfigMaps and Secrets they use, the desired state of a device')
    .requiredOption(
      '-f, --filename <file>',
      'manifests (JSON or YAML; Pod, Deployment, DaemonSet, Job, ConfigMap, Secret, List); - for standard input',
    )
    .requiredOption('-d, --device <id>', 'device to run them', deviceName)
    .option('--wait', 'wait until the pods are ready, or have failed')
    .option('--timeout <duration>', 'longest wait, like 90s or 5m', seconds, 300)
    .action(
      action(async (flags: Flags) => {
        const manifests = inOrder(readManifests(flags.filename));
        for (const { label, warnings } of manifests)
          for (const { path, reason } of warnings) process.stderr.write(`Warning: ${label}: ${path}: ${reason}\n`);
        await withFleet(flags, async (fleet) => {
          await warnOfStranger(fleet, flags.device);
          const applied: { manifest: Manifest; generation: number }[] = [];
          for (const manifest of manifests)
            applied.push({ manifest, generation: await applyOne(fleet, flags.device, manifest) });
          if (flags.wait)
            for (const { manifest, generation } of applied)
              if (manifest.kind === 'pods') await waitFor(fleet, flags, manifest, generation);
        });
      }),
    );
}

/** Publishes one manifest unless it is desired already; returns the generation to wait for. */
async function applyOne(fleet: Fleet, device: string, manifest: Manifest): Promise<number> {
  const { kind, label, raw, metadata } = manifest;
  const { namespace, name } = metadata;
  const current = (await fleet.desired(device, kind, namespace, name)) as Record<string, unknown> | undefined;
  const before = metadataOf(current);
  const deleting = before.deletionTimestamp !== undefined;
  if (current && !deleting && sameWish(current, raw)) {
    process.stdout.write(`${label} unchanged\n`);
    return Number(before.generation ?? 0);
  }
  const [reported] = kind === 'pods' ? await fleet.pods({ device, namespace, name }) : [];
  const last = Math.max(Number(before.generation ?? 0), reported?.pod.status?.observedGeneration ?? 0);
  const generation = givenGeneration(manifest) ?? last + 1;
  const object = { ...raw, metadata: { ...metadataOf(raw), ...born(kind, deleting ? {} : before), generation } };
  await fleet.publishDesired(device, kind, namespace, name, object);
  process.stdout.write(`${label} ${current && !deleting ? 'configured' : 'created'}\n`);
  return generation;
}

/** The operator's own count, if there is one. What was read back from a cluster, or a device, has the count of that. */
function givenGeneration({ raw, metadata }: Manifest): number | undefined {
  const { uid, resourceVersion } = metadataOf(raw);
  return uid === undefined && resourceVersion === undefined ? metadata.generation : undefined;
}

/** ConfigMaps and Secrets have no status that tells their age; the API server would note their birth. */
function born(kind: Manifest['kind'], { creationTimestamp }: Record<string, unknown>): object {
  return kind === 'pods' ? {} : { creationTimestamp: creationTimestamp ?? new Date().toISOString() };
}

/** Equal but for what this command says itself. */
function sameWish(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const bare = (object: Record<string, unknown>) => {
    const { generation, creationTimestamp, ...metadata } = metadataOf(object);
    return { ...object, metadata };
  };
  return isDeepStrictEqual(bare(a), bare(b));
}

function metadataOf(object: Record<string, unknown> | undefined): Record<string, unknown> {
  return (object?.metadata ?? {}) as Record<string, unknown>;
}

/** How long a pod must stay ready to count: a program that fails at once was running for a moment too. */
const SETTLE_MS = 1000;

async function waitFor(
  fleet: Fleet,
  { device, timeout }: Flags,
  { metadata }: Manifest,
  generation: number,
): Promise<void> {
  const { namespace, name } = metadata;
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
    if (!verdict?.done) throw new CommandError(await timedOut(fleet, device, { namespace, name, generation }));
    const changed = verdict.settled ? undefined : await next(SETTLE_MS, (later) => !later.done || later.settled);
    if (changed) continue;
    if (!verdict.ok) throw new CommandError(verdict.message);
    process.stdout.write(`${verdict.message}\n`);
    return;
  }
}
