/**
 * A pod of a Deployment or DaemonSet that was evicted is begun anew, as its controller would do it in a cluster; a Pod that
 * was published as one stays Failed. Pure; times in monotonic ms.
 */
import { isReplaceable } from '../../manifest/kinds.ts';
import type { PodRecord } from '../types.ts';

/** Who filled its own volumes may well do so again: not in a circle that wears the card. */
const OWN_FAULT_MS = 5 * 60_000;
/** How often it is looked whether the node still runs short. */
const LOOK_MS = 10_000;

/** Whether the evicted pod may come back now. */
export const mayReturn = (record: PodRecord, pressures: readonly string[], now: number): boolean => {
  const from = returnsFrom(record);
  return from !== undefined && from <= now && pressures.length === 0;
};

/** When to ask again; infinite where there is nothing to ask. */
export const lookAgainAt = (record: PodRecord, now: number): number => {
  const from = returnsFrom(record);
  return from === undefined ? Number.POSITIVE_INFINITY : Math.max(from, now + LOOK_MS);
};

/** A condition of the node is held for minutes after it was last seen, so for the node's sake nothing need be added. */
const returnsFrom = ({ pod, outcome, evicted, deleting }: PodRecord): number | undefined => {
  if (outcome?.reason !== 'Evicted' || deleting || !isReplaceable(pod)) return undefined;
  return evicted === undefined || evicted.forNode ? 0 : evicted.sinceMono + OWN_FAULT_MS;
};
