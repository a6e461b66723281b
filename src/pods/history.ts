/** Pure steps in the life of one container: each takes a history and returns the next one. */
import { canonicalJson } from '../manifest/digest.ts';
import type { Container, ResourceRequirements } from '../manifest/types/container.ts';
import { nextBackoff } from './backoff.ts';
import type { ContainerExit, ProcessUser } from './ports.ts';
import type { BackoffEntry, ContainerHistory, EndedAttempt, Origin } from './types.ts';

export const EXIT_LOST = 137;
export const EXIT_START_FAILED = 128;

/** Where the newest launched attempt stands. `launched`: asked for, neither confirmed nor ended. */
export type AttemptPhase = 'never' | 'launched' | 'running' | 'ended';

export const newHistory = (): ContainerHistory => ({ launched: -1 });

export const attemptPhase = (history: ContainerHistory): AttemptPhase => {
  if (history.launched < 0) return 'never';
  if (history.ended?.attempt === history.launched) return 'ended';
  return history.running?.attempt === history.launched ? 'running' : 'launched';
};

/** The number the next start will have: a launched attempt that was not carried out keeps its number. */
export const nextAttempt = (history: ContainerHistory): number =>
  attemptPhase(history) === 'ended' ? history.launched + 1 : Math.max(0, history.launched);

/** What is decided with a launch and must be durable with it. */
export interface LaunchFacts {
  origin: Origin;
  resources: ResourceRequirements;
  postStart: boolean;
}

/** The attempt is going to be started: what must be durable before it is. */
export const launch = (history: ContainerHistory, facts?: LaunchFacts): ContainerHistory => {
  const { postStartDue: _, condemned: __, backoff, ...rest } = history;
  const launched = nextAttempt(history);
  if (facts === undefined) return { ...rest, ...(backoff && { backoff }), launched };
  const { origin, resources, postStart } = facts;
  const kept = backoffOf({ image: origin.image, resources }, history);
  return {
    ...rest,
    ...(kept && { backoff: kept }),
    launched,
    origin,
    resources,
    ...(postStart && { postStartDue: launched }),
  };
};

/** The back-off of a container; another image or other resources begin anew, as they are part of the kubelet's key. */
export const backoffOf = (
  { image, resources }: Pick<Container, 'image' | 'resources'>,
  history: ContainerHistory,
): BackoffEntry | undefined => {
  const before = originOf(history)?.image ?? image;
  const given = history.resources ?? resources;
  return before === image && canonicalJson(given) === canonicalJson(resources) ? history.backoff : undefined;
};

/** A running container was given other limits. */
export const resized = (history: ContainerHistory, resources: ResourceRequirements): ContainerHistory => {
  const { backoff: _, ...rest } = history;
  return { ...rest, resources };
};

/** The hook of this attempt came through. */
export const hookDone = ({ postStartDue, ...rest }: ContainerHistory, attempt: number): ContainerHistory =>
  postStartDue === undefined || postStartDue === attempt ? rest : { ...rest, postStartDue };

/** Of the newest attempt; undefined when there was none, or it was started by an older agent. */
export const originOf = (history: ContainerHistory): Origin | undefined =>
  attemptPhase(history) === 'ended' ? history.ended?.origin : history.origin;

/** The launch came to nothing and the runner was never asked: the number is free again. */
export const unlaunch = (history: ContainerHistory): ContainerHistory =>
  attemptPhase(history) === 'launched' ? { ...history, launched: history.ended?.attempt ?? -1 } : history;

/** A restart lengthens the back-off, unless a reboot was what ended the attempt before. */
export const countRestart = (history: ContainerHistory, now: number): ContainerHistory => {
  const { ended } = history;
  if (ended === undefined || ended.rebooted) return history;
  return { ...history, backoff: nextBackoff(history.backoff, ended.finishedMono, now) };
};

export const confirm = (
  history: ContainerHistory,
  attempt: number,
  { startedAt, user, notes }: { startedAt: string; user?: ProcessUser | undefined; notes?: string[] | undefined },
): ContainerHistory => ({
  ...history,
  launched: Math.max(history.launched, attempt),
  running: { attempt, startedAt, ...(user && { user }), ...(notes && notes.length > 0 && { notes }) },
});

/** The attempt ended. An end already known changes nothing: events are replayed after every agent restart. */
export const end = (history: ContainerHistory, ended: EndedAttempt): ContainerHistory => {
  if (history.ended && history.ended.attempt >= ended.attempt) return history;
  const { running: _, postStartDue: __, condemned, ...rest } = history;
  const fate = condemned?.attempt === ended.attempt ? condemned : undefined;
  return {
    ...rest,
    launched: Math.max(history.launched, ended.attempt),
    ended: {
      ...ended,
      ...(history.origin && { origin: history.origin }),
      ...(fate?.restart && { restart: true }),
      ...(fate?.failure && { failure: fate.failure }),
    },
    ...(history.ended && { previous: history.ended }),
  };
};

/** What the runner reported, in Kubernetes words. */
export const endedByExit = (attempt: number, exit: ContainerExit, finishedMono: number): EndedAttempt => ({
  attempt,
  exitCode: exit.exitCode,
  signal: exit.signal,
  reason: exit.exitCode === 0 ? 'Completed' : exit.oomKilled ? 'OOMKilled' : 'Error',
  ...(exit.oomKilled && exit.exitCode !== 0 && { message: 'The memory limit of the container was reached.' }),
  startedAt: exit.startedAt,
  finishedAt: exit.finishedAt,
  finishedMono,
});

/**
 * Nobody saw it end. It must become Terminated and never silently Waiting, or a run-once pod would run twice
 * (kubelet: ContainerStatusUnknown, 137).
 */
export const endedUnseen = (
  history: ContainerHistory,
  { message, finishedAt, finishedMono }: { message: string; finishedAt: string; finishedMono: number },
): EndedAttempt => ({
  attempt: Math.max(0, history.launched),
  exitCode: EXIT_LOST,
  signal: 0,
  reason: 'ContainerStatusUnknown',
  message,
  ...(history.running && { startedAt: history.running.startedAt }),
  finishedAt,
  finishedMono,
});

/** The runner could not start it (kubelet: StartError, 128). */
export const endedAtStart = (
  attempt: number,
  { message, at, finishedMono }: { message: string; at: string; finishedMono: number },
): EndedAttempt => ({
  attempt,
  exitCode: EXIT_START_FAILED,
  signal: 0,
  reason: 'StartError',
  message,
  startedAt: at,
  finishedAt: at,
  finishedMono,
});
