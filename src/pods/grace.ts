import type { Termination } from './types.ts';

/** A container always gets this long between its stop signal and SIGKILL, as with the kubelet. */
const MINIMUM_GRACE_SECONDS = 2;

/** Seconds a deleted pod has: the deletion's own figure, else the spec's, never less than the minimum. */
export const deletionGrace = (requested: number | undefined, fromSpec: number): number =>
  Math.max(MINIMUM_GRACE_SECONDS, Math.floor(requested ?? fromSpec));

/** A second request for the same end may shorten what is left, never lengthen it. */
export const shorten = (current: Termination, graceSeconds: number): Termination =>
  graceSeconds < current.graceSeconds ? { ...current, graceSeconds } : current;
