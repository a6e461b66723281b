/**
 * Which pod each record and each sandbox found at start belongs to. Pure. Rules:
 *  - what runs outranks what was remembered; a sandbox without a record continues under a record made of its labels;
 *  - an absent desired object is no delete: such a pod is kept (and reported as an orphan if nobody remembers it);
 *  - a record without a sandbox has lost what it had launched;
 *  - of two pods under one name the one that is desired stays, the other is a stray and is ended.
 */
import { type FoundSandbox, loseAll, type Moment, observe, rebase, recordOf } from './adoption.ts';
import type { DesiredPod, PodRecord } from './types.ts';
import { upgraded } from './upgrade.ts';

export interface Matched {
  record: PodRecord;
  /** Its sandbox runs. */
  alive: boolean;
  /** Known from its sandbox only. */
  restored: boolean;
  /** Another pod has the name. */
  stray: boolean;
}

export const match = ({
  records,
  found,
  desired,
  now,
}: {
  records: PodRecord[];
  found: FoundSandbox[];
  desired: DesiredPod[];
  now: Moment;
}): { pods: Matched[]; unmanaged: string[] } => {
  const stored = new Map(records.map((record) => [record.uid, upgraded(record, now.mono)]));
  const unmanaged: string[] = [];
  const pods: Matched[] = [];
  for (const sandbox of found) {
    const known = recordOf(sandbox, stored.get(sandbox.uid), now);
    stored.delete(sandbox.uid);
    if (known === undefined) unmanaged.push(sandbox.uid);
    else pods.push(continued(known, sandbox, now));
  }
  for (const record of stored.values()) {
    const lost = rebase(record, now);
    pods.push({ record: lose(lost, record.bootId !== now.bootId, now), alive: false, restored: false, stray: false });
  }
  return { pods: markStrays(pods, desired), unmanaged };
};

const continued = (
  { record, restored }: { record: PodRecord; restored: boolean },
  sandbox: FoundSandbox,
  now: Moment,
): Matched => {
  const observed = observe(rebase(record, now), sandbox, now);
  const { alive } = sandbox;
  return {
    record: alive ? observed : lose(observed, record.bootId !== now.bootId, now),
    alive,
    restored,
    stray: false,
  };
};

const lose = (record: PodRecord, rebooted: boolean, now: Moment): PodRecord => {
  const why = rebooted ? 'the node was restarted while it ran' : 'its sandbox was lost while the agent was away';
  return loseAll(record, { message: `The container was not seen to end: ${why}`, rebooted }, now);
};

const markStrays = (pods: Matched[], desired: DesiredPod[]): Matched[] => {
  const wanted = new Map(desired.map(({ namespace, name, specDigest }) => [`${namespace}/${name}`, specDigest]));
  const keyOf = ({ record }: Matched) => `${record.namespace}/${record.name}`;
  const rank = (pod: Matched) =>
    (pod.alive ? 4 : 0) + (wanted.get(keyOf(pod)) === pod.record.specDigest ? 2 : 0) + (pod.record.deleting ? 0 : 1);
  const holders = new Map<string, Matched>();
  for (const pod of [...pods].sort((a, b) => rank(b) - rank(a))) {
    if (!holders.has(keyOf(pod))) holders.set(keyOf(pod), pod);
  }
  return pods.map((pod) => ({ ...pod, stray: holders.get(keyOf(pod)) !== pod }));
};
