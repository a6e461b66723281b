/**
 * The in-memory picture of one incarnation of a pod, as plain data: the planner reads it, the worker's operations
 * change it. Handles (the Sandbox object, promises, timers) stay with the worker.
 */
import { allContainers } from '../manifest/containers.ts';
import type { Retry } from './backoff.ts';
import { attemptPhase } from './history.ts';
import type { Image } from './ports.ts';
import type { ContainerHistory, Failure, PodRecord } from './types.ts';

/** One asynchronous step that is done at most once at a time. */
export interface Step {
  phase: 'idle' | 'busy' | 'done';
  failure?: Failure;
  retry?: Retry;
}

export type SandboxPhase = 'absent' | 'creating' | 'ready' | 'lost' | 'destroying';

/** How far the end of one running container has come. */
export interface Stopping {
  /** When its grace is over (monotonic ms), as known when the last step was taken. */
  deadline: number;
  preStop: 'none' | 'busy' | 'done';
  /** The stop signal was sent; SIGKILL follows at this moment. */
  killAt?: number;
}

/** Verdicts of the probes about one attempt; each begins anew with an attempt, and with an agent. */
export interface Health {
  attempt: number;
  startup: 'unknown' | 'ok' | 'failed';
  ready: boolean;
  alive: boolean;
}

export interface ContainerRun {
  /** `done` means `resolved` may be used for the next start; each start asks again. */
  image: Step & { resolved?: Image };
  /** The runner has been asked to start the launched attempt and has not answered. */
  starting: boolean;
  /** The configuration or the directories could not be made; no attempt was used up. */
  config?: { failure: Failure; retry: Retry };
  stopping?: Stopping;
  /** What the probes have found out about the running attempt. */
  health?: Health;
  /** The postStart hook is running. */
  hook: 'idle' | 'busy';
  /** The shim still remembers an ended attempt, to be removed before the next start. */
  residue: boolean;
}

export interface PodState {
  record: PodRecord;
  /** `image`: what failed is the image of this volume, for which the containers that mount it wait. */
  volumes: Step & { image?: { volume: string; reference: string } };
  /** Limits of the pod as a whole that this kernel cannot apply. */
  notes: readonly string[];
  sandbox: { phase: SandboxPhase; failure?: Failure; retry?: Retry };
  /** Other limits for what runs. */
  resize: Step;
  /** Removal of what the pod held, once it has ended or been deleted. */
  cleaning: Step;
  containers: Map<string, ContainerRun>;
}

/** The state of a pod of which nothing runs. */
export const newState = (record: PodRecord): PodState => ({
  record,
  volumes: { phase: 'idle' },
  notes: [],
  sandbox: { phase: 'absent' },
  resize: { phase: 'idle' },
  cleaning: { phase: 'idle' },
  containers: new Map(allContainers(record.pod.spec).map(({ name }) => [name, newRun()])),
});

export const newRun = (): ContainerRun => ({
  image: { phase: 'idle' },
  starting: false,
  hook: 'idle',
  residue: false,
});

/** Number of the sandbox there is, or that is being built; undefined when there is none to start anything in. */
export const sandboxNumber = ({ record, sandbox }: PodState): number | undefined =>
  sandbox.phase === 'ready' || sandbox.phase === 'creating' ? record.sandboxes - 1 : undefined;

export const isRunning = (state: PodState, container: string): boolean =>
  attemptPhase(historyOf(state.record, container)) === 'running';

/** A container's history, which exists for every container of the spec. */
export const historyOf = (record: PodRecord, container: string): ContainerHistory => {
  const history = record.containers[container];
  if (history === undefined) throw new Error(`no container ${container} in pod ${record.namespace}/${record.name}`);
  return history;
};

/** A container's in-memory part, which exists for every container of the spec. */
export const runOf = (state: PodState, container: string): ContainerRun => {
  const run = state.containers.get(container);
  if (run === undefined) throw new Error(`no container ${container} in pod ${state.record.name}`);
  return run;
};
