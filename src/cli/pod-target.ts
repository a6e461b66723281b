/** The pod and container a command is about, found and defaulted as kubectl does. */
import type { Fleet } from '../client/fleet.ts';
import { allContainers } from '../manifest/containers.ts';
import type { Pod } from '../manifest/types/pod.ts';
import { CommandError } from './failure.ts';
import { objectName } from './topic-levels.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** `pod/web` and `pods/web` are `web`. @throws CommandError for what can be no name */
export function podName(text: string): string {
  return objectName(text.replace(/^(pod|pods|po)\//, ''));
}

/** The pod of this name on `device`, or on the only device that has it. @throws CommandError */
export async function findPod(
  fleet: Fleet,
  name: string,
  { device, namespace }: { device?: string; namespace: string },
): Promise<{ device: string; pod: Pod }> {
  const found = await fleet.pods({ namespace, name, ...(device !== undefined && { device }) });
  const [only, ...others] = found;
  if (!only) throw new CommandError(`pods "${name}" not found${device ? ` on ${device}` : ''}`);
  if (others.length > 0)
    throw new CommandError(`pod "${name}" is on ${found.map((pod) => pod.device).join(', ')}: choose with -d`);
  return only;
}

/**
 * Name of the container asked for, of the one the pod's annotation says, or of the first; a choice made for the person
 * is said on standard error. @throws CommandError for one the pod does not have
 */
export function containerOf({ metadata, spec, status }: Pod, asked: string | undefined): string {
  // A pod whose manifest was refused is reported with the reason alone.
  if (spec === undefined)
    throw new CommandError(
      `pod ${metadata.name} was refused and has no containers: ${status?.message ?? 'see describe'}`,
    );
  const names = allContainers(spec).map(({ name }) => name);
  const annotated = metadata.annotations?.[DEFAULT_CONTAINER];
  const container = asked ?? (names.includes(annotated ?? '') ? annotated : undefined) ?? spec.containers[0]?.name;
  if (container === undefined || !names.includes(container))
    throw new CommandError(`container ${container} is not in pod ${metadata.name}: it has ${names.join(', ')}`);
  if (asked === undefined && container !== annotated && names.length > 1)
    process.stderr.write(`Defaulted container "${container}" out of: ${names.join(', ')}\n`);
  return container;
}
