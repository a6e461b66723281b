import { rfc3339 } from '../status/rfc3339.ts';
import type { Termination } from '../types.ts';

/** Seconds a deleted pod has: the deletion's own figure, else the spec's, never less than 1. */
export const deletionGrace = (requested: number | undefined, fromSpec: number): number =>
  Math.max(1, Math.floor(requested ?? fromSpec));

/** A second request for the same end, made at `mono`, may shorten what is left, never lengthen it. */
export const shorten = (current: Termination, graceSeconds: number, mono: number): Termination => {
  const gainedMs = current.sinceMono + current.graceSeconds * 1000 - (mono + graceSeconds * 1000);
  if (gainedMs <= 0) return current;
  const deletionTimestamp = rfc3339(new Date(Date.parse(current.deletionTimestamp) - gainedMs));
  return { ...current, deletionTimestamp, graceSeconds, sinceMono: mono };
};
