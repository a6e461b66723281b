import type { Termination } from './types.ts';

/** Seconds a deleted pod has: the deletion's own figure, else the spec's, never less than 1. */
export const deletionGrace = (requested: number | undefined, fromSpec: number): number =>
  Math.max(1, Math.floor(requested ?? fromSpec));

/** A second request for the same end, made at `mono`, may shorten what is left, never lengthen it. */
export const shorten = (current: Termination, graceSeconds: number, mono: number): Termination =>
  mono + graceSeconds * 1000 < current.sinceMono + current.graceSeconds * 1000
    ? { ...current, graceSeconds, sinceMono: mono }
    : current;
