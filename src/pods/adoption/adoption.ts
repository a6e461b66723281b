/**
 * What a starting agent makes of what it finds: records (maybe none), sandboxes that run (maybe of unknown pods) and
 * sandboxes that were lost. Pure. What runs outranks what was remembered, and nothing is killed for being unknown.
 */
import { attemptPhase, confirm, end, endedByExit, endedUnseen, unlaunch } from '../history.ts';
import type { ContainerRecord, SandboxSpec } from '../ports.ts';
import type { ContainerHistory, PodRecord } from '../types.ts';
import { fromContainerLabels, recordFromLabels } from './labels.ts';

/** Both clocks at one moment, and which boot it is. */
export interface Moment {
  /** RFC 3339 with milliseconds. */
  wall: string;
  mono: number;
  bootId: string;
}

/** Far enough in the past that every back-off has run out, near enough that no back-off entry expires by it. */
const LONG_AGO_MS = 3_600_000;

/** A sandbox as observed: alive with its containers, or lost with the exits that could still be read. */
export interface FoundSandbox {
  uid: string;
  alive: boolean;
  spec?: SandboxSpec | undefined;
  containers: ContainerRecord[];
}

/** The record a found sandbox continues: the stored one, or one written anew from the sandbox's labels. */
export const recordOf = (
  found: FoundSandbox,
  stored: PodRecord | undefined,
  now: Moment,
): { record: PodRecord; restored: boolean } | undefined => {
  if (stored) return { record: stored, restored: false };
  const record = found.spec && recordFromLabels(found.spec, now);
  return record && { record, restored: true };
};

/**
 * Monotonic times of another boot say nothing in this one. The first restart after a boot is immediate, as with the
 * kubelet; the length of the back-off is kept, so that a pod that crashes the board does not start from 0 again.
 */
export const rebase = (record: PodRecord, now: Moment): PodRecord => {
  if (record.bootId === now.bootId) return record;
  return {
    ...record,
    bootId: now.bootId,
    containers: mapHistories(record, (history) => rebaseHistory(history, now)),
    active: rebaseActive(record, now),
    ...(record.deleting && { deleting: { ...record.deleting, sinceMono: now.mono } }),
    ...(record.evicted && { evicted: { ...record.evicted, sinceMono: now.mono } }),
  };
};

/** Of the time before the reboot counts what is known for sure: up to the last time the record was written. */
const rebaseActive = ({ active, savedMono }: PodRecord, now: Moment): PodRecord['active'] => ({
  beforeMs: active.beforeMs + Math.max(0, (savedMono ?? active.sinceMono) - active.sinceMono),
  sinceMono: now.mono,
});

const rebaseHistory = ({ ended, previous, backoff, ...rest }: ContainerHistory, now: Moment): ContainerHistory => ({
  ...rest,
  ...(ended && { ended: { ...ended, finishedMono: now.mono - LONG_AGO_MS } }),
  ...(previous && { previous }),
  ...(backoff && { backoff: { ...backoff, updatedMono: now.mono } }),
});

/** Takes over what the shim says about each container, whether the sandbox lives or its exits were only left behind. */
export const observe = (record: PodRecord, found: FoundSandbox, now: Moment): PodRecord => {
  const seen = new Map<string, ContainerRecord>();
  for (const container of found.containers) {
    if ((seen.get(container.name)?.attempt ?? -1) <= container.attempt) seen.set(container.name, container);
  }
  const containers = mapHistories(record, (history, name) => {
    const observed = seen.get(name);
    if (observed) return takeOver(history, observed, found.spec?.attempt ?? record.sandboxes - 1, now);
    // The shim forgets only what was durable here: an attempt it does not know was never carried out, unless it ran.
    return found.alive && attemptPhase(history) === 'running' ? lose(history, VANISHED, now) : history;
  });
  const ip = record.ip ?? found.spec?.ip;
  return {
    ...record,
    sandboxes: Math.max(record.sandboxes, (found.spec?.attempt ?? -1) + 1),
    ...(ip !== undefined && { ip }),
    containers,
  };
};

const VANISHED = 'The container could not be located: its sandbox runs, but does not know it';

/** A container's history as the runner's own record continues it. `sandbox`: number of the sandbox it was found in. */
export const takeOver = (
  history: ContainerHistory,
  observed: ContainerRecord,
  sandbox: number,
  now: Moment,
): ContainerHistory => {
  if (observed.attempt < history.launched || history.ended?.attempt === observed.attempt) return history;
  const running = {
    ...confirm(history, observed.attempt, {
      ...observed,
      ...(history.running?.attempt === observed.attempt && { notes: history.running.notes }),
    }),
    ...fromContainerLabels(observed.labels, sandbox),
    // A resize since the start is known here only.
    ...(observed.attempt === history.launched && history.resources && { resources: history.resources }),
  };
  if (observed.exit === undefined) return running;
  return end(running, endedByExit(observed.attempt, observed.exit, monoOf(observed.exit.finishedAt, now)));
};

/** When a wall-clock time of a while ago was, in monotonic ms; a clock that was set meanwhile cannot do much harm. */
export const monoOf = (finishedAt: string, now: Moment): number => {
  const ageMs = Date.parse(now.wall) - Date.parse(finishedAt);
  return now.mono - Math.min(Math.max(Number.isFinite(ageMs) ? ageMs : 0, 0), LONG_AGO_MS);
};

/**
 * Every attempt that was asked for and not seen to end becomes Terminated(137, ContainerStatusUnknown). `rebooted`:
 * the whole machine went down, so it counts as no fault of the container.
 */
export const loseAll = (
  record: PodRecord,
  { message, rebooted }: { message: string; rebooted: boolean },
  now: Moment,
): PodRecord => ({
  ...record,
  containers: mapHistories(record, (history) => {
    const phase = attemptPhase(history);
    if (phase === 'never' || phase === 'ended') return history;
    return lose(history, message, now, rebooted);
  }),
});

/**
 * Launches that came to nothing because the agent died first: where the runner has not even opened the attempt's log,
 * nothing ran. Only of this boot can that be said: a power cut may have taken the file instead.
 */
export const takeBackUntried = (record: PodRecord, tried: Tried): PodRecord => ({
  ...record,
  containers: mapHistories(record, (history, name) =>
    attemptPhase(history) === 'launched' && !tried(record, name, history.launched) ? unlaunch(history) : history,
  ),
});

/** Whether the runner may have run the attempt. */
export type Tried = (record: PodRecord, container: string, attempt: number) => boolean;

const lose = (history: ContainerHistory, message: string, now: Moment, rebooted = false): ContainerHistory =>
  end(history, {
    ...endedUnseen(history, { message, finishedAt: now.wall, finishedMono: now.mono }),
    ...(rebooted && { rebooted }),
  });

/** The same record with every container's history passed through `change`. */
export const mapHistories = (
  record: PodRecord,
  change: (history: ContainerHistory, name: string) => ContainerHistory,
): Record<string, ContainerHistory> =>
  Object.fromEntries(Object.entries(record.containers).map(([name, history]) => [name, change(history, name)]));
