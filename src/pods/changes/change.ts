/** What a desired object means for the incarnation that exists. Pure. */
import { changeKind } from '../../manifest/change-kind.ts';
import { allContainers } from '../../manifest/containers.ts';
import type { PodSpec } from '../../manifest/types/pod.ts';
import { newHistory } from '../history.ts';
import { rfc3339 } from '../status/rfc3339.ts';
import type { DesiredPod, PendingResize, PodRecord, Termination } from '../types.ts';
import { firstHistories, withEphemeral } from './ephemeral.ts';
import { deletionGrace } from './grace.ts';
import { allocationOf } from './resize.ts';

export type Change = 'none' | 'update' | 'resize' | 'replace' | 'delete';

/**
 * Absence is never a delete. A changed spec replaces; labels, annotations, images and new ephemeral containers are taken
 * over in place, cpu and memory too where the node has them (`resize`). An equal manifest whose spec digest differs comes from an agent that
 * fills in other defaults: no reason to restart anything.
 */
export const changeOf = (record: PodRecord, desired: DesiredPod | undefined): Change => {
  if (desired === undefined) return 'none';
  if (desired.deletionTimestamp !== undefined) return 'delete';
  if (desired.manifestDigest === record.manifestDigest)
    return record.resize || desired.generation !== record.generation ? 'update' : 'none';
  if (desired.specDigest === record.specDigest) return 'update';
  if (record.outcome && record.resize?.manifestDigest === desired.manifestDigest) return 'none';
  const { kind } = changeKind(record.pod.spec, desired.pod.spec);
  if (kind === 'ephemeral') return 'update';
  if (record.outcome || record.deleting) return 'replace';
  if (kind === 'resources') return 'resize';
  return kind === 'other' ? 'replace' : 'update';
};

/** How the pod is to end. A deletion's own grace counts, else the grace of the spec that runs. */
export const terminationOf = (
  record: PodRecord,
  {
    reason,
    now,
    mono,
    requestedGrace,
  }: { reason: Termination['reason']; now: Date; mono: number; requestedGrace?: number | undefined },
): Termination => {
  const graceSeconds = deletionGrace(requestedGrace, record.pod.spec.terminationGracePeriodSeconds);
  const deletionTimestamp = rfc3339(new Date(now.getTime() + graceSeconds * 1000));
  return { reason, deletionTimestamp, graceSeconds, sinceMono: mono };
};

/** The record of a new incarnation. A `metadata.uid` in the manifest is not used: uids are this agent's to give. */
export const newRecord = (
  desired: DesiredPod,
  { uid, bootId, now, mono }: { uid: string; bootId: string; now: Date; mono: number },
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
  active: { beforeMs: 0, sinceMono: mono },
  sandboxes: 0,
  containers: firstHistories(desired.pod.spec, allContainers(desired.pod.spec), mono),
  conditions: [],
});

/** The record after an update in place. */
export const updatedRecord = (record: PodRecord, desired: DesiredPod): PodRecord => {
  const { generation: _, resize: __, ...rest } = record;
  return {
    ...rest,
    given: record.given ?? allocationOf(record.pod.spec),
    specDigest: desired.specDigest,
    manifestDigest: desired.manifestDigest,
    ...(desired.generation !== undefined && { generation: desired.generation }),
    ...followed(record, desired, withEphemeral(record.pod.spec, desired.pod.spec)),
  };
};

/** What runs from now on, with a history for each container that is new. */
const followed = (record: PodRecord, { pod }: DesiredPod, spec: PodSpec): Pick<PodRecord, 'pod' | 'containers'> => {
  const added = allContainers(spec).filter(({ name }) => record.containers[name] === undefined);
  return {
    pod: { ...pod, spec },
    containers: { ...record.containers, ...Object.fromEntries(added.map(({ name }) => [name, newHistory()])) },
  };
};

/** The record of a pod that is to go on with the resources it has; all but the spec is taken over. */
export const postponedRecord = (
  record: PodRecord,
  desired: DesiredPod,
  refused: Pick<PendingResize, 'reason' | 'message'>,
): PodRecord => {
  const { generation: _, ...rest } = record;
  return {
    ...rest,
    ...(desired.generation !== undefined && { generation: desired.generation }),
    ...followed(record, desired, withEphemeral(withEphemeral(record.pod.spec, desired.pod.spec), record.pod.spec)),
    resize: { ...refused, spec: desired.pod.spec, manifestDigest: desired.manifestDigest },
  };
};
