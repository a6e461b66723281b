/**
 * Which pod each record and each sandbox found at start belongs to. Pure. Rules:
 *  - what runs outranks what was remembered; a sandbox without a record continues under a record made of its labels;
 *  - an absent desired object is no delete: such a pod is kept (and reported as an orphan if nobody remembers it);
 *  - a record without a sandbox has lost what it had launched, but for what was never tried;
 *  - of two pods under one name the one that is desired stays, the other is a stray and is ended.
 */

import { withholdUnseen } from '../changes/ephemeral.ts';
import type { DesiredPod, PodRecord } from '../types.ts';
import {
  type FoundSandbox,
  loseAll,
  type Moment,
  observe,
  rebase,
  recordOf,
  type Tried,
  takeBackUntried,
} from './adoption.ts';
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
  tried,
  now,
}: {
  records: PodRecord[];
  found: FoundSandbox[];
  desired: DesiredPod[];
  tried: Tried;
  now: Moment;
}): { pods: Matched[]; unmanaged: string[] } => {
  const stored = new Map(records.map((record) => [record.uid, upgraded(record, now.mono)]));
  const unmanaged: string[] = [];
  const pods: Matched[] = [];
  for (const sandbox of found) {
    const known = recordOf(sandbox, stored.get(sandbox.uid), now);
    stored.delete(sandbox.uid);
    if (known === undefined) unmanaged.push(sandbox.uid);
    else pods.push(continued(known, sandbox, { tried, now }));
  }
  for (const record of stored.values()) {
    pods.push({
      record: lose(record, rebase(record, now), { tried, now }),
      alive: false,
      restored: false,
      stray: false,
    });
  }
  return { pods: markStrays(pods, desired), unmanaged };
};

const continued = (
  { record, restored }: { record: PodRecord; restored: boolean },
  sandbox: FoundSandbox,
  { tried, now }: { tried: Tried; now: Moment },
): Matched => {
  const seen = observe(rebase(record, now), sandbox, now);
  const observed = restored ? withholdUnseen(seen, now.mono) : seen;
  const { alive } = sandbox;
  return {
    record: alive ? observed : lose(record, observed, { tried, now }),
    alive,
    restored,
    stray: false,
  };
};

/** `observed`: the record as far as it is known now. */
const lose = (record: PodRecord, observed: PodRecord, { tried, now }: { tried: Tried; now: Moment }): PodRecord => {
  const rebooted = record.bootId !== now.bootId;
  const why = rebooted ? 'the node was restarted while it ran' : 'its sandbox was lost while the agent was away';
  const asked = rebooted ? observed : takeBackUntried(observed, tried);
  return loseAll(asked, { message: `The container was not seen to end: ${why}`, rebooted }, now);
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
