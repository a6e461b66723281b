/** What people are told about a device that does not answer, and about a pod that does not come. */
import type { Fleet } from '../client/fleet.ts';
import { delayReason } from '../client/wait.ts';

/** A device may get its manifests before it is switched on for the first time; a name that is misspelt looks the same. */
export async function warnOfStranger(fleet: Fleet, device: string): Promise<void> {
  if (await fleet.presence(device)) return;
  process.stderr.write(`Warning: no device "${device}" has reported to this broker yet: see \`edgepod get devices\`\n`);
}

interface Awaited {
  namespace: string;
  name: string;
  /** 0: whichever the device has. */
  generation: number;
}

/** The complaint of a command that waited for a pod in vain. */
export async function timedOut(fleet: Fleet, device: string, awaited: Awaited): Promise<string> {
  const { namespace, name, generation } = awaited;
  const state = (await fleet.presence(device))?.state;
  const [reported] = await fleet.pods({ device, namespace, name });
  const why = state === 'online' ? delayReason(reported?.pod, generation) : awayText(device, state);
  return `timed out waiting for pod/${name} on ${device}: ${why}`;
}

function awayText(device: string, state: string | undefined): string {
  if (state === undefined) return `no device "${device}" has reported to this broker yet: see \`edgepod get devices\``;
  return 'the device is away; the pod begins when it is back';
}
