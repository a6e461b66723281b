/**
 * Kubernetes' thresholds: a verdict changes only after so many answers of one kind in a row. The native twin is
 * native/lib/probe/thresholds.h; test/fixtures/probe-thresholds.txt holds both to the same cases.
 */
export interface Tally {
  /** Answers of the last kind in a row. */
  run: number;
  last?: boolean;
  /** Undefined until a threshold was reached for the first time. */
  verdict?: boolean;
}

/** The tally after one more answer; `changed` when that made a verdict: the first one, or another one. */
export function count(
  { run, last, verdict }: Tally,
  ok: boolean,
  { successThreshold, failureThreshold }: { successThreshold: number; failureThreshold: number },
): { tally: Tally; changed: boolean } {
  const now = ok === last ? run + 1 : 1;
  const reached = now >= (ok ? successThreshold : failureThreshold);
  const changed = reached && verdict !== ok;
  const kept = verdict === undefined ? {} : { verdict };
  return { tally: { run: now, last: ok, ...(changed ? { verdict: ok } : kept) }, changed };
}
