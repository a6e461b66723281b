/** What a desired object means for the incarnation that exists. Pure. */
import { deletionGrace } from './grace.ts';
import { newHistory } from './history.ts';
import { rfc3339 } from './status/rfc3339.ts';
import type { DesiredPod, PodRecord, Termination } from './types.ts';

export type Change = 'none' | 'update' | 'replace' | 'delete';

/**
 * Absence is never a delete. A changed spec replaces; labels and annotations alone are taken over in place. An equal
 * manifest whose spec digest differs comes from an agent that fills in other defaults: no reason to restart anything.
 */
export const changeOf = (record: PodRecord, desired: DesiredPod | undefined): Change => {
  if (desired === undefined) return 'none';
  if (desired.deletionTimestamp !== undefined) return 'delete';
  if (desired.manifestDigest === record.manifestDigest) return 'none';
  return desired.specDigest === record.specDigest ? 'update' : 'replace';
};

/** How the pod is to end. A deletion's own grace counts, else the grace of the spec that runs. */
export const terminationOf = (
  record: PodRecord,
  { reason, now, requestedGrace }: { reason: Termination['reason']; now: Date; requestedGrace?: number | undefined },
): Termination => ({
  reason,
  deletionTimestamp: rfc3339(now),
  graceSeconds: deletionGrace(requestedGrace, record.pod.spec.terminationGracePeriodSeconds),
});

/** The record of a new incarnation. A `metadata.uid` in the manifest is not used: uids are this agent's to give. */
export const newRecord = (
  desired: DesiredPod,
  { uid, bootId, now }: { uid: string; bootId: string; now: Date },
): PodRecord => ({
  uid,
  namespace: desired.namespace,
  name: desired.name,
  specDigest: desired.specDigest,
  manifestDigest: desired.manifestDigest,
  ...(desired.generation !== undefined && { generation: desired.generation }),
  pod: desired.pod,
  createdAt: rfc3339(now),
  bootId,
  sandboxes: 0,
  containers: Object.fromEntries(desired.pod.spec.containers.map(({ name }) => [name, newHistory()])),
  conditions: [],
});

/** The record after an update in place. */
export const updatedRecord = (record: PodRecord, desired: DesiredPod): PodRecord => {
  const { generation: _, ...rest } = record;
  return {
    ...rest,
    manifestDigest: desired.manifestDigest,
    ...(desired.generation !== undefined && { generation: desired.generation }),
    pod: { ...record.pod, metadata: desired.pod.metadata },
  };
};
